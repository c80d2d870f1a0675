package config

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// LoadForeign reads a tree that has features alone, and no flavours, as the
// Garden Linux builder does: [LoadFeatures] says how lenient it is with
// info.yaml. Files that mean something in a feature's folder are taken in too;
// what is wrong with them is in the features' Faults. The diagnostics returned
// are those that leave nothing to be built from the tree.
func LoadForeign(fsys fs.FS) (*Project, hcl.Diagnostics) {
	sub, err := fs.Sub(fsys, FeaturesDir)
	if err != nil {
		return nil, hcl.Diagnostics{fault(fileStart(FeaturesDir), "Cannot read folder", "%s.", err)}
	}
	tree, diags := LoadFeatures(sub, FeaturesDir)
	l := &loader{
		fsys:    fsys,
		project: &Project{Features: map[string]*Feature{}, Files: tree.Files, Foreign: true},
	}
	l.guarded(func() {
		for _, e := range l.readDir(FeaturesDir) {
			if name := path.Join(FeaturesDir, e.Name()); l.leads(name) {
				l.odd(name, e)
			}
		}
	})
	diags, l.diags = tidy(append(diags, l.diags...)), nil
	for _, f := range tree.Features {
		l.project.Features[f.Name] = f
		l.guarded(func() { l.foreignEntries(f) })
		f.Faults, l.diags = tidy(l.diags), nil
		if l.parts > maxParts {
			break
		}
	}
	return l.project, diags
}

// foreignEntries takes in the files of a feature.
func (l *loader) foreignEntries(f *Feature) {
	f.Scripts = map[string]bool{}
	for _, e := range l.readDir(f.Dir) {
		name := path.Join(f.Dir, e.Name())
		if e.Name() == "pkg.build" || e.Name() == "exec.build" || e.Name() == "exec.accounts" || !l.leads(name) {
			continue // our own inventions, which mean nothing there
		}
		// That of info.yaml has been told.
		if e.Name() != "info.yaml" && !l.odd(name, e) {
			l.readEntry(f, e)
		}
	}
	err := WalkFeature(l.fsys, f.Dir, true, func(string, bool) bool { return true }, func(file File) error {
		if strings.Contains(file.Name, "/") {
			l.oddFile(path.Join(f.Dir, file.Name), file.Info.Mode())
		}
		return nil
	})
	if link := (*LinkError)(nil); err != nil && !errors.As(err, &link) {
		l.say(fault(fileStart(f.Dir), "Cannot read folder", "%s.", err))
	}
}

// leads says that a name is not a link that leads nowhere, which to the
// reference is as good as no file.
func (l *loader) leads(name string) bool {
	_, err := fs.Stat(l.fsys, name)
	return !errors.Is(err, fs.ErrNotExist)
}
