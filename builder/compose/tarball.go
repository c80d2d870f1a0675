package compose

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// checkTarball looks whether a flavour takes its history from a tarball that it does not make: if no other
// build makes it either, the history there ends.
func (s *Spec) checkTarball() hcl.Diagnostics {
	f := s.StageFeature("commit")
	if f == nil {
		return nil
	}
	makes, declared := s.Parameters[f.Name]["archive"]
	from := s.Parameters[f.Name]["archive_url"]
	if !declared || makes.Bool() || from.String() == "" {
		return nil
	}
	return hcl.Diagnostics{warning("No tarball for other builders",
		fmt.Sprintf("archive of %s is false, so builds of this flavour make no tarball of the repository, but build hosts without a history take it from archive_url. If no other build makes it, they begin with an old history, which cannot be published.", f.Name), makes.Range)}
}
