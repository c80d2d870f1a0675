package planner

import (
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
)

// Suites are the archives of a source, one for each suite, signed by the keys in a
// file. What the source lists of architectures that the distribution does not have is
// not asked for: a feature's source may be for systems of several.
func Suites(s config.Source, d config.Distribution, keyring string) []distro.Source {
	var all []distro.Source
	archs := slices.DeleteFunc(slices.Clone(s.Architectures), func(arch string) bool { return arch != d.Arch && !slices.Contains(d.Architectures, arch) })
	for _, suite := range s.Suites {
		all = append(all, distro.Source{
			Name: s.Name, URL: s.URLs[0], Others: s.URLs[1:], Suite: suite, Components: s.Components, Architectures: archs,
			Keyring: keyring, Packages: s.Packages, Priority: s.Priority,
		})
	}
	return all
}

// FileOf is the path of a file that a source names: its keyring, or its authority's
// certificates.
func (p *Planner) FileOf(s config.Source, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(p.Tree(s.Root), filepath.FromSlash(file))
}
