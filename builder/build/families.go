package build

import (
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

// Families are the families of distributions that flavours can be of.
var Families = distro.Families{debian.Family{}}

// distro returns a subject's family.
func (b *Builder) distro(s *Subject) (distro.Distro, error) {
	return b.backend.Families.Of(s.Spec.Flavour.Distribution.Family)
}
