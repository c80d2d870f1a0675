package build

import (
	"path/filepath"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage/planner"
)

// sources are the archives of some sources, one for each suite, for a distribution.
func (a *archives) sources(d config.Distribution, list []config.Source) ([]distro.Source, error) {
	var out []distro.Source
	for _, s := range list {
		keyring, err := a.b.fileOf(s, s.Keyring)
		if err != nil {
			return nil, err
		}
		if keyring == "" {
			keyring = a.distro.DefaultKeyring()
		}
		ca, err := a.b.fileOf(s, s.CA)
		if err != nil {
			return nil, err
		}
		for _, suite := range planner.Suites(s, d, keyring) {
			suite.CA = ca
			out = append(out, suite)
		}
	}
	return out, nil
}

// fileOf is the absolute path of a file that a source names, in the tree that the
// source is from; "" of none.
func (b *Builder) fileOf(s config.Source, file string) (string, error) {
	if file == "" || filepath.IsAbs(file) {
		return file, nil
	}
	tree, err := b.treeDir(s.Root)
	if err != nil {
		return "", err
	}
	return filepath.Join(tree, filepath.FromSlash(file)), nil
}

// authorities are the files with the certificates of sources that have their own, by
// the source's name. The sources have been opened, so the files can be found.
func (b *Builder) authorities(list []config.Source) map[string]string {
	out := map[string]string{}
	for _, s := range list {
		if file, err := b.fileOf(s, s.CA); err == nil && file != "" {
			out[s.Name] = file
		}
	}
	return out
}

// places are where some sources are written, by the source's name.
func places(list []config.Source) map[string]string {
	out := map[string]string{}
	for i := range list {
		if at := list[i].At(distro.URLsField, 0); at.Filename != "" {
			out[list[i].Name] = config.PlaceOf(at)
		}
	}
	return out
}

// mirrors are where the packages of some sources are, by the source's name.
func mirrors(list []config.Source) map[string][]string {
	out := map[string][]string{}
	for _, s := range list {
		out[s.Name] = s.URLs
	}
	return out
}

// manifestSources are sources as a manifest lists them.
func manifestSources(releases []distro.Release) []publish.ManifestSource {
	var out []publish.ManifestSource
	for _, r := range releases {
		s := r.Source
		out = append(out, publish.ManifestSource{
			Name: s.Name, URL: event.Mask(s.URL), Suite: s.Suite, Components: s.Components, Packages: s.Packages, Priority: s.Priority, Release: r.SHA256,
		})
	}
	return out
}
