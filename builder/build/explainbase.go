package build

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
)

// unsolvedBase turns the error of an archive whose packages do not even make the
// smallest system into a diagnostic at the source that is the most likely reason: a
// further source with patterns or, if there is none, one with a priority.
func unsolvedBase(err error, s *Subject) error {
	var unsolvable *distro.UnsolvableError
	if !errors.As(err, &unsolvable) {
		return err
	}
	d := config.Fault(s.Spec.Flavour.Distribution.SuiteRange, summaryConflict,
		"The packages that every system has, those that are essential or required, and apt, cannot be installed. %s says:\n%s", unsolvable.Program, unsolvable.Reason)
	for _, field := range []string{"priority", distro.PackagesField} {
		for i := range s.Spec.Sources {
			if src := &s.Spec.Sources[i]; len(src.Places[field]) > 0 && src.Name != distro.MainSource && !slices.Contains(distro.OwnSources, src.Name) {
				at := src.At(field, 0)
				d.Subject = &at
				d.Detail = fmt.Sprintf("The packages that every system has, those that are essential or required, and apt, cannot be installed. Does the source %q take some of them away? %s says:\n%s", src.Name, unsolvable.Program, unsolvable.Reason)
			}
		}
	}
	if d.Subject == nil || d.Subject.Filename == "" {
		return err
	}
	return &diag.Faults{Files: s.Project.Files, List: hcl.Diagnostics{d}}
}
