package build

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/stage/commit"
)

// Show tells all that the tree says about a subject. It asks no archive.
func (b *Builder) Show(s *Subject) (*Resolved, error) {
	spec, f := s.Spec, s.Spec.Flavour
	shown := &Resolved{
		Name: s.Name, Place: placeOf(f.Range), Fields: shownFields(f), Sources: shownSources(spec), Features: shownFeatures(s),
		Parameters: shownParameters(spec), Packages: shownPackages(spec), Content: shownContent(&f.Content), Files: shownFiles(spec), Artifacts: []ShownArtifact{}, URLs: shownURLs(spec),
	}
	artifacts, err := stage.Artifacts(spec)
	if err != nil {
		return nil, err
	}
	for _, a := range artifacts {
		shown.Artifacts = append(shown.Artifacts, ShownArtifact{a.Name, b.relative(b.Artifact(s, a.Name)), a.Kind, a.Description})
	}
	return shown, nil
}

// relative is a path within the tree as seen from there.
func (b *Builder) relative(path string) string {
	if rel, err := filepath.Rel(b.options.Tree, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func shownFields(f *config.Flavour) []ShownValue {
	d := f.Distribution
	var fields []ShownValue
	for _, field := range []struct {
		name  string
		value any
	}{
		{"description", f.Description}, {"family", d.Family}, {"suite", d.Suite}, {"arch", d.Arch}, {"mirror", event.Mask(d.Mirror)},
		{"components", d.Components}, {"keyring", d.Keyring}, {"ca", d.CA},
	} {
		from, written := f.Origins[field.name]
		if field.value == "" && !written {
			continue
		}
		fields = append(fields, ShownValue{Name: field.name, Value: field.value, ShownOrigin: ShownOrigin{placeOf(from.Range), !written && f.Origins != nil, from.Outside}})
	}
	return fields
}

func shownSources(spec *compose.Spec) []ShownSource {
	sources := []ShownSource{}
	all := spec.Sources
	if len(all) == 0 {
		all = spec.Flavour.Distribution.All()
	}
	// A flavour that extends another one may have no distribution of its own.
	suite := spec.Flavour.Origins["suite"].Range
	for _, s := range all {
		if s.Range == spec.Flavour.Distribution.Range && suite.Filename != "" && suite.Filename != s.Range.Filename {
			s.Range = suite
		}
		shown := ShownSource{
			Name: s.Name, Suites: s.Suites, Components: s.Components, Architectures: s.Architectures, Keyring: s.Keyring, CA: s.CA,
			Packages: s.Packages, Priority: s.Priority, OnMachine: s.OnMachine, Feature: s.Feature, ShownOrigin: ShownOrigin{Place: placeOf(s.Range)},
		}
		for _, u := range s.URLs {
			shown.URLs = append(shown.URLs, event.Mask(u))
		}
		sources = append(sources, shown)
	}
	return sources
}

func shownFeatures(s *Subject) []ShownFeature {
	spec := s.Spec
	mentions := map[string]string{}
	for _, ref := range spec.Flavour.Features {
		if mentions[ref.Name] == "" {
			mentions[ref.Name] = placeOf(ref.Range)
		}
	}
	features := []ShownFeature{}
	for _, f := range spec.AllFeatures() {
		shown := ShownFeature{Name: f.Name, Type: f.Type, Stage: f.Stage, Place: mentions[f.Name]}
		for _, e := range spec.Extensions {
			if slices.Contains(e.Features, f) {
				shown.Extensions = append(shown.Extensions, e.Name)
			}
		}
		for _, by := range spec.AllFeatures() {
			for _, ref := range by.Include {
				if ref.Name == f.Name {
					shown.IncludedBy = append(shown.IncludedBy, ShownReference{Name: by.Name, Place: placeOf(ref.Range)})
				}
			}
		}
		features = append(features, shown)
	}
	return features
}

func shownParameters(spec *compose.Spec) []ShownValue {
	params := []ShownValue{}
	for _, f := range spec.AllFeatures() {
		for _, p := range f.Parameters {
			v := spec.Parameters[f.Name][p.Name]
			params = append(params, ShownValue{Feature: f.Name, Name: p.Name, Value: masked(v.Any), ShownOrigin: ShownOrigin{placeOf(v.Range), !v.Set, v.Outside}})
		}
	}
	return params
}

// masked is a value without the passwords of URLs in it.
func masked(value any) any {
	switch x := value.(type) {
	case string:
		return event.Mask(x)
	case []string:
		list := make([]string, len(x))
		for i, s := range x {
			list[i] = event.Mask(s)
		}
		return list
	case []config.Object:
		list := make([]config.Object, len(x))
		for i, object := range x {
			list[i] = config.Object{}
			for name, field := range object {
				list[i][name] = masked(field)
			}
		}
		return list
	}
	return value
}

func shownPackages(spec *compose.Spec) []ShownPackage {
	packages := []ShownPackage{}
	add := func(wants []compose.Want, what string) {
		for _, w := range wants {
			packages = append(packages, ShownPackage{w.String(), what, placeOf(w.Range)})
		}
	}
	add(spec.Packages, "")
	for _, e := range spec.Extensions {
		add(e.Packages, "extension "+e.Name)
	}
	for _, f := range spec.AllFeatures() {
		add(spec.BuildPackages[f.Name], "exec.build of "+f.Name)
	}
	return packages
}

func shownFiles(spec *compose.Spec) []ShownFile {
	files := []ShownFile{}
	for _, f := range spec.AllFeatures() {
		for _, g := range spec.Generated[f.Name] {
			files = append(files, ShownFile{g.Path, f.Name, placeOf(g.Range)})
		}
	}
	for _, g := range spec.Generated[config.FlavourFeature] {
		files = append(files, ShownFile{Path: g.Path, Place: placeOf(g.Range)})
	}
	return files
}

// shownURLs are what a build and machines ask, beside the sources of packages.
func shownURLs(spec *compose.Spec) []ShownReference {
	urls := []ShownReference{}
	f := spec.StageFeature("commit")
	names, ok := commit.Names(spec)
	if !ok {
		return urls
	}
	for _, u := range []struct{ parameter, what, rest string }{
		{"archive_url", "history", "/" + names.Archive}, {"remote_url", "upgrades", ""},
	} {
		v := spec.Parameters[f.Name][u.parameter]
		if v.String() != "" {
			urls = append(urls, ShownReference{u.what, event.Mask(strings.TrimRight(v.String(), "/") + u.rest), placeOf(v.Range)})
		}
	}
	return urls
}
