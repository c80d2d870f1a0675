package planner

import (
	"path/filepath"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
)

// Suites are the archives of a source, one for each suite, signed by the keys in a
// file.
func Suites(s config.Source, keyring string) []distro.Source {
	var all []distro.Source
	for _, suite := range s.Suites {
		all = append(all, distro.Source{
			Name: s.Name, URL: s.URLs[0], Others: s.URLs[1:], Suite: suite, Components: s.Components, Architectures: s.Architectures,
			Keyring: keyring, Packages: s.Packages, Priority: s.Priority,
		})
	}
	return all
}

// Keyring is the path of a source's own keyring.
func (p *Planner) Keyring(s config.Source) string {
	if filepath.IsAbs(s.Keyring) {
		return s.Keyring
	}
	return filepath.Join(p.Tree(s.Root), filepath.FromSlash(s.Keyring))
}
