package build

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/rules"
)

// explain turns what the resolver says into diagnostics at the lines where the
// packages are asked for.
func explain(err error, mentions []compose.Want) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var unknown *distro.UnknownError
	var unsolvable *distro.UnsolvableError
	var forbidden *distro.ForbiddenError
	var local *distro.LocalError
	for _, m := range mentions {
		switch {
		case errors.As(err, &unknown):
			if slices.ContainsFunc(unknown.Missing, func(w distro.Want) bool { return m.Name == w.Name && m.Version == w.Version }) {
				diags = append(diags, rules.UnknownPackage(unknown, m))
			}
		case errors.As(err, &forbidden):
			if m.Forbidden && m.Name == forbidden.Want.Name {
				diags = append(diags, config.Fault(m.Range, "Forbidden package is needed",
					"%s cannot be forbidden: the tree has it before any package is installed. Packages that are essential or required, and apt, are in every system; an extension begins with the packages of the system.", m.Name))
			}
		case errors.As(err, &local):
			if m.Local != nil && m.Local.SHA256 == local.Package.SHA256 {
				diags = append(diags, config.Fault(m.Range, "Package cannot be used", "%s.", local.Reason))
			}
		case errors.As(err, &unsolvable):
			diags = append(diags, unsolved(unsolvable, m)...)
		}
	}
	return diags
}

// unsolved is the fault of a line whose package the reason names: those are the
// ones that conflict with each other.
func unsolved(err *distro.UnsolvableError, m compose.Want) hcl.Diagnostics {
	words := strings.FieldsFunc(err.Reason, func(r rune) bool { return strings.ContainsRune(" \n:,()", r) })
	if name, _, _ := strings.Cut(m.Name, ":"); !slices.Contains(words, name) {
		return nil
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Packages that cannot be installed together", Detail: err.Program + " says:\n" + err.Reason, Subject: m.Range.Ptr()}
	if m.Forbidden {
		d.Summary, d.Detail = "Forbidden package is needed", fmt.Sprintf("%s is forbidden here, but another package needs it. %s", m.Name, d.Detail)
	}
	return hcl.Diagnostics{d}
}
