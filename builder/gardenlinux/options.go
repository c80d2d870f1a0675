package gardenlinux

import "github.com/treewright/treewright/builder/rules"

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
}

// Rules are those of trees with features alone, and of cnames in trees with
// flavours. They implement [rules.Rules].
type Rules struct {
	Options
	rules.Place
}
