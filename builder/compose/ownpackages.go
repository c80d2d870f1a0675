package compose

import (
	"slices"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
)

// FeaturesOf are the features of the system and of all extensions, each once.
func (s *Spec) FeaturesOf() []*config.Feature {
	all := slices.Clone(s.Composed())
	for _, ext := range s.Extensions {
		for _, f := range ext.Features {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// debs are the packages of a flavour's features that are known without a program.
func (s *Spec) debs() []Deb {
	var out []Deb
	for _, f := range s.FeaturesOf() {
		for _, d := range f.Debs {
			if d.Package != "" {
				out = append(out, Deb{Package: distro.Package{Name: d.Package, Version: d.Version, Arch: d.Arch}, File: d.File})
			}
		}
	}
	return out
}
