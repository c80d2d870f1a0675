package config

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// removal is an entry of a mapping that is null: what the flavour takes over by that
// name is left out.
type removal struct {
	name string
	at   hcl.Range
	// sure reports whether null is written there. An expression that happens to give
	// null need not have anything to remove.
	sure bool
}

// nulls are the entries of a mapping that are null. Faults in it are reported by
// [loader.fields].
func (l *loader) nulls(s *scope, attr *hcl.Attribute) []removal {
	var out []removal
	pairs, diags := hcl.ExprMap(attr.Expr)
	if diags.HasErrors() {
		v, _ := s.value(attr.Expr)
		if !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
			return nil
		}
		values := v.AsValueMap()
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if values[name].IsNull() {
				out = append(out, removal{name: name, at: attr.Expr.Range()})
			}
		}
		return out
	}
	for _, p := range pairs {
		key, _ := s.value(p.Key)
		if !key.IsWhollyKnown() || key.IsNull() || key.Type() != cty.String {
			continue
		}
		r := removal{name: key.AsString(), at: p.Key.Range(), sure: isNullExpr(p.Value)}
		if !r.sure {
			if _, diags := hcl.ExprMap(p.Value); !diags.HasErrors() {
				continue
			}
			if v, _ := s.value(p.Value); !v.IsKnown() || !v.IsNull() {
				continue
			}
		}
		out = append(out, r)
	}
	return out
}

// without returns the inherited entries of a field of a flavour except those that it
// removes. Those have to exist, unless open reports that more may be inherited than is
// known.
func without[T any](l *loader, field string, inherited []T, removed []removal, open bool, name func(T) string) []T {
	out := slices.Clone(inherited)
	for _, r := range removed {
		before := len(out)
		out = slices.DeleteFunc(out, func(x T) bool { return name(x) == r.name })
		if len(out) < before || !r.sure || open {
			continue
		}
		var known []string
		for _, x := range inherited {
			known = append(known, name(x))
		}
		l.say(Fault(r.at, "Nothing to remove", "null removes an entry that the flavour takes over, and %q is not in the %s that it takes over.%s", r.name, field, DidYouMean(r.name, known)))
	}
	return out
}
