package compose

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// checkInterpreters finds scripts and tests whose interpreter nobody asks for. brings
// is [config.Project.Brings].
func (s *Spec) checkInterpreters(brings func(family, program string) []string) hcl.Diagnostics {
	if brings == nil {
		return nil
	}
	diags := s.interpretersOf(s.Features, s.Packages, brings)
	for _, e := range s.Extensions {
		diags = append(diags, s.interpretersOf(e.Features, slices.Concat(s.Packages, e.Packages), brings)...)
	}
	return diags
}

func (s *Spec) interpretersOf(features []*config.Feature, wanted []Want, brings func(family, program string) []string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range features {
		for _, p := range f.Programs {
			packages := brings(s.Flavour.Distribution.Family, p.Interpreter)
			there, list := wanted, "pkg.include"
			switch {
			case len(packages) == 0 || p.Name == "exec.post": // that is run by tools
				continue
			case p.Name == "exec.build":
				there, list = s.BuildPackages[f.Name], "pkg.build"
			case p.Name == "exec.early":
				diags = append(diags, warning("Interpreter not in the tree",
					fmt.Sprintf("exec.early runs before packages are installed, when there is no %s. Write it for bash, or let a later script do it.", p.Interpreter), p.Range))
				continue
			}
			if !slices.ContainsFunc(there, func(w Want) bool { return anyMatches(packages, w.Name) }) {
				diags = append(diags, warning("Interpreter not in the tree",
					fmt.Sprintf("No package that flavour %q asks for brings %s, which runs this. Add %s to %s of feature %q: even if another package needs it now, that can change.",
						s.Flavour.Name, p.Interpreter, packages[0], list, f.Name), p.Range))
			}
		}
	}
	return diags
}

// anyMatches reports that one of the patterns is the name of a package, without its
// architecture.
func anyMatches(patterns []string, name string) bool {
	name, _, _ = strings.Cut(name, ":")
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

func warning(summary, detail string, subject hcl.Range) *hcl.Diagnostic {
	d := fault(summary, detail, subject)
	d.Severity = hcl.DiagWarning
	return d
}
