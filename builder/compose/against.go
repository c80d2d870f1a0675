package compose

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// contradictions finds packages of one tree that are both included and excluded by
// mistake: in one feature, and where the flavour itself includes what a feature
// excludes. Excluding what another feature includes is what excludes are for; but if a
// feature forbids it, there is a warning.
func (l *PackageLists) contradictions(features []*config.Feature) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, by := range features {
		for _, out := range l.Exclude[by.Name] {
			forbids := slices.ContainsFunc(l.Forbid[by.Name], func(w Want) bool { return w.Name == out.Name })
			for _, of := range features {
				i := slices.IndexFunc(l.Include[of.Name], func(w Want) bool { return w.Name == out.Name })
				if i < 0 {
					continue
				}
				if d := against(l.Include[of.Name][i], of.Name, out, by.Name, forbids); d != nil {
					diags = append(diags, d)
				}
			}
		}
	}
	return diags
}

// against is the fault of a package that the feature of includes and the feature by
// excludes; nil if that is right.
func against(in Want, of string, out Want, by string, forbids bool) *hcl.Diagnostic {
	verb := "excluded"
	if forbids {
		verb = "forbidden"
	}
	switch {
	case of == by:
		return fault("Package included and "+verb, fmt.Sprintf("%q is included here and %s at %s: remove one of the two lines.", in.Name, verb, place(out.Range)), in.Range)
	case of == config.FlavourFeature:
		return fault("Package included and "+verb, fmt.Sprintf("%q is included here, but %s by feature %q at %s, so the system would not get it. Leave it out here, or do without the feature.", in.Name, verb, by, place(out.Range)), in.Range)
	case forbids && by != config.FlavourFeature:
		return config.Warning(out.Range, "Forbidden package is included", "%q is forbidden here, so the system does not get it, although feature %q includes it at %s.", in.Name, of, place(in.Range))
	}
	return nil
}
