package rootfs

import (
	"slices"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/installed"
)

// identity plans the step that names the system after the packages it has.
func (p composer) identity(tip string) (string, error) {
	packages := p.Packages.System.Bare()
	slices.SortFunc(packages, distro.Package.Compare)
	return p.Add(installed.Action.Step(installed.Params{Packages: packages, VersionID: p.VersionID()}, plan.Step{
		ID: "rootfs/identity", Stage: "rootfs", Title: "name the system after its packages",
		Base: tip, Output: plan.Layer, MemoryMiB: 64,
	}))
}
