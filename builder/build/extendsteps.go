package build

import "github.com/treewright/treewright/builder/extend"

// Steps of an extension of packages.
const (
	installStep = "extension/install-" + extend.Extension
	treeStep    = "extension/" + extend.Extension + "/tree"
	imageStep   = "extension/" + extend.Extension + "/image"
)
