package build

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// FeatureStory is why a subject has a feature, and what the feature adds.
type FeatureStory struct {
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	Type        config.FeatureType `json:"type"`
	Directory   string             `json:"directory"`
	Stage       string             `json:"stage,omitempty"`
	// Extensions are those that it is a part of; none for one of the system.
	Extensions []string `json:"extensions,omitempty"`
	// Chains lead from a feature that the flavour names to this one: each includes the
	// next one, at the place that the next one has.
	Chains   [][]ShownReference `json:"chains"`
	Packages []ShownPackage     `json:"packages"`
	Files    []ShownFile        `json:"files"`
	Steps    []string           `json:"steps"`
}

// WhyFeature returns why a subject has a feature. Nothing is asked of a package archive.
func (b *Builder) WhyFeature(s *Subject, name string) (*FeatureStory, error) {
	all := s.Spec.AllFeatures()
	i := slices.IndexFunc(all, func(f *config.Feature) bool { return f.Name == name })
	if i < 0 {
		return nil, notSelected(s, name)
	}
	f := all[i]
	story := &FeatureStory{Name: name, Description: f.Description, Type: f.Type, Directory: f.Place(), Stage: f.Stage, Packages: []ShownPackage{}, Files: []ShownFile{}, Steps: []string{}}
	story.Chains = chains(s.Spec, name)
	generated := s.Spec.Generated[name]
	if slices.Contains(s.Spec.Features, f) {
		story.Steps = append(story.Steps, rootfs.Composition{Stage: "rootfs", Name: "system"}.StepsOf(f, len(generated) > 0)...)
	}
	for _, e := range s.Spec.Extensions {
		if slices.Contains(e.Features, f) {
			story.Extensions = append(story.Extensions, e.Name)
			story.Steps = append(story.Steps, rootfs.Composition{Stage: "extension", Name: e.Name}.StepsOf(f, len(generated) > 0)...)
		}
	}
	story.Packages = append(story.Packages, packagesOf(s.Spec, f)...)
	for _, g := range generated {
		story.Files = append(story.Files, ShownFile{g.Path, name, placeOf(g.Range)})
	}
	files, err := b.filesOf(f)
	story.Files = append(story.Files, files...)
	return story, err
}

// notSelected is the fault of a feature that a subject does not have.
func notSelected(s *Subject, name string) error {
	var names []string
	for _, f := range s.Spec.AllFeatures() {
		for _, e := range f.Exclude {
			if e.Name == name {
				return diag.Requestf("%s does not have the feature %s: %s excludes it at %s", s.Name, name, f.Name, placeOf(e.Range))
			}
		}
		names = append(names, f.Name)
	}
	near := ""
	if m := config.Suggest(name, names); m != "" {
		near = "; did you mean " + m + "?"
	}
	if s.Project.Features[name] != nil {
		return diag.Requestf("%s does not have the feature %s: neither the flavour nor one of its features includes it%s", s.Name, name, near)
	}
	return diag.Requestf("there is no feature %q%s", name, near)
}

// chains are, for the flavour's own mention of a feature and for each feature that
// includes it, the shortest way to it.
func chains(spec *compose.Spec, name string) [][]ShownReference {
	shortest := map[string][]ShownReference{}
	var queue []string
	for _, ref := range spec.Flavour.Features {
		if shortest[ref.Name] == nil {
			shortest[ref.Name] = []ShownReference{{Name: ref.Name, Place: placeOf(ref.Range)}}
			queue = append(queue, ref.Name)
		}
	}
	byName := map[string]*config.Feature{}
	for _, f := range spec.AllFeatures() {
		byName[f.Name] = f
	}
	all := [][]ShownReference{}
	if own := shortest[name]; own != nil {
		all = append(all, own)
	}
	for len(queue) > 0 {
		at := byName[queue[0]]
		queue = queue[1:]
		if at == nil {
			continue
		}
		for _, ref := range at.Include {
			if byName[ref.Name] == nil {
				continue // another one excludes it
			}
			chain := append(slices.Clone(shortest[at.Name]), ShownReference{Name: ref.Name, Place: placeOf(ref.Range)})
			if ref.Name == name {
				all = append(all, chain)
			}
			if shortest[ref.Name] == nil {
				shortest[ref.Name] = chain
				queue = append(queue, ref.Name)
			}
		}
	}
	return all
}

// packagesOf are the packages of a spec that a feature asks for, also where another one
// asked first, and those for its exec.build.
func packagesOf(spec *compose.Spec, f *config.Feature) []ShownPackage {
	var out []ShownPackage
	add := func(wants []compose.Want, what string) {
		for _, w := range wants {
			if strings.HasPrefix(w.Range.Filename, f.Dir+"/") {
				out = append(out, ShownPackage{w.String(), what, placeOf(w.Range)})
				continue
			}
			i := slices.IndexFunc(f.Packages, func(l config.Line) bool { return lineAsks(l.Text, w.Name) })
			if i >= 0 {
				out = append(out, ShownPackage{w.String(), what, placeOf(f.Packages[i].Range)})
			}
		}
	}
	if slices.Contains(spec.Features, f) {
		add(spec.Packages, "")
	}
	for _, e := range spec.Extensions {
		if slices.Contains(e.Features, f) {
			add(e.Packages, "extension "+e.Name)
		}
	}
	for _, w := range spec.BuildPackages[f.Name] {
		out = append(out, ShownPackage{w.String(), "exec.build of " + f.Name, placeOf(w.Range)})
	}
	return out
}

// lineAsks reports whether a line of a list begins with a package's name.
func lineAsks(line, name string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), name)
	return ok && (rest == "" || strings.ContainsAny(rest[:1], " \t=/+["))
}

// filesOf are the files of a feature's file.include.
func (b *Builder) filesOf(f *config.Feature) ([]ShownFile, error) {
	dir, err := b.FeatureDir(f)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "file.include")
	var files []ShownFile
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) && path == root {
			return fs.SkipAll
		}
		if err == nil && !d.IsDir() {
			rel := strings.TrimPrefix(path, root)
			files = append(files, ShownFile{rel, f.Name, f.Place() + "/file.include" + rel})
		}
		return err
	})
	return files, err
}
