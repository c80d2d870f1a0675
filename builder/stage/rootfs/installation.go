package rootfs

import (
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
)

// A group is a part of a composition's packages that is installed by itself, above the groups
// before it.
type group struct {
	// name is the last feature of the group, "" for the last group.
	name  string
	wants []distro.Want
	// packages are those in the tree afterwards.
	packages *distro.Closure
}

// least is how many packages a group brings at least. Each group takes a second or two for
// programs that run once more (apt-get, and those that packages have run after each installation), and
// these packages take longer than that.
const least = 32

// installation is the phase of packages.
func (p composer) installation(c Composition, tip string) (string, error) {
	have, earlier := c.Have, []distro.Package(nil)
	for _, g := range p.groups(c) {
		name := c.Name
		if g.name != "" {
			name += "/" + g.name
		}
		var err error
		if tip, err = p.InstallAfter(c.Stage, name, tip, have, g.packages, g.wants, earlier); err != nil {
			return "", err
		}
		have, earlier = g.packages, g.packages.Bare()
	}
	if c.Stage == "extension" && p.Method.Installed != nil {
		return p.Method.Installed(p.Planner, tip)
	}
	return tip, nil
}

// groups divides the packages of the system by the features that ask for them, in their order. What
// a group is depends on the features up to its own alone, so that a package that a later one asks
// for leaves it as it is. The flavour's own wishes come last, and by themselves. Each group
// has to bring a quarter of the packages before it, so that large systems have few groups.
func (p composer) groups(c Composition) []group {
	whole := []group{{wants: c.Wants, packages: c.Packages}}
	if !p.Method.Grouped || c.Name != "system" {
		return whole
	}
	var groups []group
	var open group
	have := c.Have
	for i, f := range c.Features {
		if i == len(c.Features)-1 {
			open.wants = append(open.wants, p.wantsOf(f)...)
			break
		}
		open.name, open.wants = f.Name, append(open.wants, p.wantsOf(f)...)
		var ok bool
		if open.packages, ok = p.Distro.Within(p.Arch(), c.Packages, have, open.wants); !ok {
			return whole
		}
		more, enough := len(open.packages.Minus(have).Packages), max(least, len(have.Packages)/4)
		if more >= enough || more > 0 && c.Features[i+1].Name == config.FlavourFeature {
			groups, have, open = append(groups, open), open.packages, group{}
		}
	}
	open.name, open.packages = "", c.Packages
	if last := len(groups) - 1; last >= 0 && len(c.Packages.Minus(have).Packages) == 0 {
		// Wishes for packages that are there already are noted by the group that brings them.
		groups[last].wants = append(groups[last].wants, open.wants...)
		groups[last].name = ""
		return groups
	}
	return append(groups, open)
}

// wantsOf are the packages that a feature is the first to ask for, then those that it brings.
func (p composer) wantsOf(f *config.Feature) []distro.Want {
	var out []distro.Want
	for _, w := range p.Spec.Packages {
		if w.Feature == f.Name {
			out = append(out, w.Want)
		}
	}
	return append(out, p.LocalWants([]*config.Feature{f}, p.Packages.System)...)
}
