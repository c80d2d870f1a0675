package trial

import (
	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/stage/program"
)

// More describes the steps of a test beside booting the image and running the tests of its features. At most one of its fields is set.
type More struct {
	// Upgrade upgrades the machine, and Packages has it add packages to itself.
	Upgrade, Packages bool
}

// addsPackages is an error if machines of a flavour cannot add packages to themselves.
func addsPackages(s *build.Subject) error {
	if s.Spec.StageFeature(program.Stage) == nil {
		return diag.Requestf("machines of %s cannot add packages: the flavour does not have the feature layering", s.Flavour())
	}
	return nil
}
