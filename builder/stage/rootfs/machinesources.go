package rootfs

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treefs"
)

// listOfSources is in the place of a feature in the step that writes the machine's list of
// sources.
const listOfSources = "sources"

// sourcesAndFiles is the phase of files. Those by which the machine knows its sources
// of packages come first, so that features can replace them.
func (p composer) sourcesAndFiles(c Composition, tip string) (string, error) {
	files, err := p.sourceFiles(c)
	if err != nil {
		return "", err
	}
	if len(files) > 0 {
		src, err := p.Sources.ImportGenerated(accounts.GeneratedSource(listOfSources), p.Project, files)
		if err != nil {
			return "", err
		}
		tip, err = p.Add(FilesAction.Step(FilesParams{Feature: listOfSources}, plan.Step{
			ID: c.Stage + "/sources", Stage: c.Stage, Title: "write the machine's list of package sources",
			Base: tip, Sources: []plan.Source{src}, Output: plan.Layer, MemoryMiB: 128,
		}))
		if err != nil {
			return "", err
		}
	}
	return each(p.files)(c, tip)
}

// sourceFiles are the files by which the machine knows the sources that it is to
// know, with their keys, and the authorities of those that have their own. What only an extension needs is not for the system.
func (p composer) sourceFiles(c Composition) ([]config.Generated, error) {
	if !p.Method.Identified || c.Name != "system" {
		return nil, nil
	}
	var files []config.Generated
	var known []distro.Source
	for _, s := range p.Spec.Sources {
		own := func(f *config.Feature) bool { return f.Name == s.Feature }
		if !s.OnMachine || s.Feature != "" && !slices.ContainsFunc(c.Features, own) {
			continue
		}
		keyring := p.Distro.DefaultKeyring()
		if s.Keyring != "" && s.Name != distro.MainSource {
			content, err := treefs.ReadFile(p.FileOf(s, s.Keyring), treefs.MostKeyring)
			if err != nil {
				return nil, err
			}
			// By its name apt knows which of the two forms it has.
			keyring = "/etc/apt/keyrings/" + s.Name + ".gpg"
			if bytes.HasPrefix(bytes.TrimSpace(content), []byte("-----BEGIN PGP")) {
				keyring = "/etc/apt/keyrings/" + s.Name + ".asc"
			}
			files = append(files, config.Generated{Path: keyring, Content: content, Range: s.At("keyring", 0)})
		}
		s.URLs = []string{s.MachineURL()}
		suites := planner.Suites(s, p.Spec.Flavour.Distribution, keyring)
		if s.CA != "" && strings.HasPrefix(s.URLs[0], "https:") {
			content, err := treefs.ReadFile(p.FileOf(s, s.CA), treefs.MostKeyring)
			if err != nil {
				return nil, err
			}
			suites[0].CA = "/etc/apt/keyrings/" + s.Name + ".pem"
			files = append(files, config.Generated{Path: suites[0].CA, Content: content, Range: s.At("ca", 0)})
		}
		known = append(known, suites...)
	}
	lists := p.Distro.SourceFiles(known)
	if len(lists) == 0 {
		return nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		files = append(files, config.Generated{Path: name, Content: []byte(lists[name])})
	}
	return files, nil
}
