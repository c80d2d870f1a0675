package gardenlinux

import (
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/treefs"
)

// Options are what a request says of builds of cnames.
type Options struct {
	// Mirror is the package archive's URL in place of what the tree's get_repo says,
	// and Keyring the file with its keys.
	Mirror, Keyring string
	// Network lets features' scripts reach the network.
	Network bool
	// AllowFrankenstein takes a cname that has not exactly one platform.
	AllowFrankenstein bool
	// NoRun runs none of the tree's programs; Arch and Version are what is looked at
	// then, where they would say it. All three are for checks.
	NoRun         bool
	Arch, Version string
	// Say is told what a user should know; nil if nobody wants to.
	Say func(line string)
}

// Rules are those of trees with features alone, and of cnames in trees with
// flavours. They implement [rules.Rules].
type Rules struct {
	Options
	Tree *treefs.FS
	// Dir is where it lies, and Hidden are directories of ours, perhaps in it.
	Dir    string
	Hidden []string
	// Distro is the family of distributions that such trees are of.
	Distro distro.Distro
	// BesideFlavours says that the features are written for flavours.
	BesideFlavours bool
}

// say tells a user something.
func (r *Rules) say(line string) {
	if r.Options.Say != nil {
		r.Options.Say(line)
	}
}
