package build

import (
	"fmt"
	"slices"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/planner"
)

// vainAnswers describes which answers of features' debconf files change nothing, because
// the package is configured before they are given, or is not there at all.
func vainAnswers(s *Subject, p planner.Packages) []string {
	have := p.Base
	if p.Seed != nil {
		have = p.Seed
	}
	out := vainIn(s.Spec.Features, have, p.System, "system")
	for _, ext := range s.Spec.Extensions {
		out = append(out, vainIn(ext.Features, p.System, p.Extensions[ext.Name], "extension "+ext.Name)...)
	}
	return out
}

// vainIn is the same for a tree that has packages, and gets all of the others.
func vainIn(features []*config.Feature, have, all *distro.Closure, tree string) []string {
	var out []string
	for _, f := range features {
		said := map[string]bool{}
		for _, a := range f.Debconf {
			// Its own answers count for all packages that are configured later.
			if a.Package == "debconf" || said[a.Package] {
				continue
			}
			said[a.Package] = true
			switch {
			case slices.Contains(have.Names(), a.Package):
				out = append(out, fmt.Sprintf("%s: %s is configured before answers are given, so this answer is kept but has no effect; change the setting in exec.config",
					config.PlaceOf(a.Range), a.Package))
			case !slices.Contains(all.Names(), a.Package):
				hint := ""
				if meant := config.Suggest(a.Package, all.Names()); meant != "" {
					hint = fmt.Sprintf("; did you mean %s?", meant)
				}
				out = append(out, fmt.Sprintf("%s: the %s does not have the package %s, so this answer has no effect%s", config.PlaceOf(a.Range), tree, a.Package, hint))
			}
		}
	}
	return out
}
