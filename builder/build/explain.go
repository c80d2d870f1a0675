package build

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/rules"
)

// explain turns what the resolver says into diagnostics at the lines where the
// packages are asked for. flavour is the place of the flavour.
func explain(err error, mentions []compose.Want, flavour hcl.Range) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var unknown *distro.UnknownError
	var unsolvable *distro.UnsolvableError
	var forbidden *distro.ForbiddenError
	var local *distro.LocalError
	for _, m := range mentions {
		switch {
		case errors.As(err, &unknown):
			if slices.ContainsFunc(unknown.Missing, func(w distro.Want) bool { return m.Name == w.Name && m.Version == w.Version }) {
				diags = append(diags, rules.UnknownPackage(unknown, m, flavour))
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
			diags = addUnsolved(diags, unsolvable, m)
		}
	}
	return diags
}

// summaryConflict is the summary of the fault of packages that conflict.
const summaryConflict = "Packages that cannot be installed together"

// addUnsolved adds the fault of a line whose package the reason names. The first line gets
// it, with the places of the others: what the program says is said once.
func addUnsolved(diags hcl.Diagnostics, err *distro.UnsolvableError, m compose.Want) hcl.Diagnostics {
	for _, d := range unsolved(err, m) {
		i := slices.IndexFunc(diags, func(before *hcl.Diagnostic) bool {
			return before.Summary == summaryConflict && d.Summary == summaryConflict
		})
		if i < 0 {
			diags = append(diags, d)
			continue
		}
		diags[i].Detail += fmt.Sprintf("\n%s is asked for at %s.", m.Name, config.PlaceOf(m.Range))
	}
	return diags
}

// unmet finds what apt says of packages that it cannot install, between its advice.
var unmet = regexp.MustCompile(`(?m)^(?:The following packages have unmet dependencies|.*[Rr]eached two conflicting (?:assignments|decisions)):\n((?:[ \t]+.*(?:\n|$))+)`)

// thatMatters is the part of a reason that names the packages, or else all of it.
func thatMatters(reason string) string {
	m := unmet.FindStringSubmatch(reason)
	if m == nil {
		return reason
	}
	var lines []string
	for line := range strings.Lines(m[1]) {
		lines = append(lines, "  "+strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

// unsolved is the fault of a line whose package the reason names: those are the
// ones that conflict with each other.
func unsolved(err *distro.UnsolvableError, m compose.Want) hcl.Diagnostics {
	reason := thatMatters(err.Reason)
	words := strings.FieldsFunc(reason, func(r rune) bool { return strings.ContainsRune(" \n:,()", r) })
	if name, _, _ := strings.Cut(m.Name, ":"); !slices.Contains(words, name) {
		return nil
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summaryConflict, Detail: err.Program + " says:\n" + reason, Subject: m.Range.Ptr()}
	if m.Forbidden {
		d.Summary, d.Detail = "Forbidden package is needed", fmt.Sprintf("%s is forbidden here, but another package needs it. %s", m.Name, d.Detail)
	}
	return hcl.Diagnostics{d}
}
