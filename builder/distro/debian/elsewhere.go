package debian

import "github.com/treewright/treewright/builder/distro"

// blsGRUB is the first version of GRUB that has the command blscfg, by which it
// reads the boot entries that ostree writes, and grubSuite a suite that has it as
// long as a stable one does not.
const (
	blsGRUB   = "2.14~"
	grubSuite = "testing"
)

// Elsewhere describes where GRUB comes from if that of the system's suite is too old.
func (Family) Elsewhere(purpose distro.Purpose, resolved []distro.Package) string {
	if purpose != distro.ForBootLoader {
		return ""
	}
	for _, p := range resolved {
		if p.Name == "grub-common" && CompareVersions(p.Version, blsGRUB) < 0 {
			return grubSuite
		}
	}
	return ""
}
