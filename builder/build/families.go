package build

import (
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

// Families are the families of distributions that flavours can be of.
var Families = distro.Families{debian.Family{}}
