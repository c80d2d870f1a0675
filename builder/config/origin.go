package config

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// givenOutside knows which variables have a value from outside of the tree, and which
// locals are made of them.
type givenOutside struct {
	given  map[string]string         // how, by variable
	locals map[string]hcl.Expression // by name
}

// of lists what an expression takes from outside, directly or through locals.
func (o *givenOutside) of(expr hcl.Expression) []string {
	if o == nil || len(o.given) == 0 {
		return nil
	}
	found, seen := map[string]bool{}, map[string]bool{}
	open := []hcl.Expression{expr}
	for len(open) > 0 {
		next := open[len(open)-1]
		open = open[:len(open)-1]
		for _, t := range next.Variables() {
			if len(t) < 2 {
				continue
			}
			step, ok := t[1].(hcl.TraverseAttr)
			switch {
			case !ok:
			case t.RootName() == "var" && o.given[step.Name] != "":
				found[o.given[step.Name]] = true
			case t.RootName() == "local" && o.locals[step.Name] != nil && !seen[step.Name]:
				seen[step.Name] = true
				open = append(open, o.locals[step.Name])
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
