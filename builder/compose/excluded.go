package compose

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// checkExcluded warns of packages that the flavour excludes and that nothing of its
// system asks for: they are mistyped, or are dependencies, which only a ! keeps away.
func (s *Spec) checkExcluded(lists *PackageLists) hcl.Diagnostics {
	known := map[string]bool{}
	for _, f := range s.Composed() {
		for _, w := range lists.Include[f.Name] {
			known[w.Name] = true
		}
		for _, d := range f.Debs {
			if d.Package == "" {
				return nil // which package it is will be known in the build
			}
			known[d.Package] = true
		}
	}
	var diags hcl.Diagnostics
	names := slices.Sorted(maps.Keys(known))
	forbidden := lists.Forbid[config.FlavourFeature]
	for _, w := range lists.Exclude[config.FlavourFeature] {
		if known[w.Name] || slices.ContainsFunc(forbidden, func(f Want) bool { return f.Name == w.Name }) {
			continue
		}
		at := w.Range
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: "Exclude without effect", Subject: &at,
			Detail: fmt.Sprintf("No feature of flavour %q asks for %q.%s To keep it away as a dependency as well, write %q.", s.Flavour.Name, w.Name, config.DidYouMean(w.Name, names), forbidding+w.Name),
		})
	}
	return diags
}
