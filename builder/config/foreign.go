package config

import (
	"errors"
	"io/fs"
	"path"

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
	for _, f := range tree.Features {
		l.project.Features[f.Name] = f
		f.Scripts = map[string]bool{}
		for _, e := range l.readDir(f.Dir) {
			if e.Name() == "pkg.build" || e.Name() == "exec.build" || e.Name() == "exec.accounts" || !l.leads(path.Join(f.Dir, e.Name())) {
				continue // our own inventions, which mean nothing there
			}
			l.readEntry(f, e)
		}
		f.Faults, l.diags = tidy(l.diags), nil
	}
	return l.project, diags
}

// leads says that a name is not a link that leads nowhere, which to the
// reference is as good as no file.
func (l *loader) leads(name string) bool {
	_, err := fs.Stat(l.fsys, name)
	return !errors.Is(err, fs.ErrNotExist)
}
