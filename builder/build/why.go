package build

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// Change is what a step did to a file of a tree.
type Change struct {
	Step, Title string
	// Place is where the file is written in the configuration, if it is in no
	// feature's file.include.
	Place string
	// Package is the one that has the file, if the step installs packages.
	Package distro.Archived
	// What is as in [layer.ChangeOf].
	What string
}

// Why returns what the layers of the system and of its extensions did to a file, the
// oldest first, and how many of these layers are not in the cache. path is absolute
// within the tree.
func (p *Prepared) Why(path string) (changes []Change, missing int, err error) {
	store := p.Cache.Store
	path = canonical(filepath.Clean(path))
	for _, s := range p.treeSteps() {
		key := p.Graph.Key(s.ID)
		_, ok, err := store.Get(key)
		if err != nil {
			return nil, 0, err
		}
		if !ok {
			missing++
			continue
		}
		if what := layer.ChangeOf(filepath.Join(store.Data(key), path)); what != "" {
			changes = append(changes, Change{s.ID, s.Title, p.placeOf(s, path), p.ownerOf(s, store.Data(key), path), what})
		}
	}
	return changes, missing, nil
}

// ownerOf is the package with a file, of those that a step installs.
func (p *Prepared) ownerOf(s *plan.Step, layer, path string) distro.Archived {
	if s.Action != planner.InstallAction.Name() && s.Action != planner.BootstrapAction.Name() {
		return distro.Archived{}
	}
	db := p.distro.Database()
	names := db.Owners(filepath.Join(layer, db.Dir()), path)
	if before := strings.TrimPrefix(path, "/usr"); canonical(before) == path {
		names = append(names, db.Owners(filepath.Join(layer, db.Dir()), before)...) // a package may still say so
	}
	packages := p.installed()
	if s.Action == planner.BootstrapAction.Name() {
		packages = p.Packages.Base.Packages
	}
	for _, a := range packages {
		if slices.Contains(names, a.Name) {
			return a
		}
	}
	return distro.Archived{}
}

// placeOf says where the file that a step copies is written, if it is generated.
func (p *Prepared) placeOf(s *plan.Step, path string) string {
	params, err := rootfs.FilesAction.Params(s)
	if err != nil || s.Action != rootfs.FilesAction.Name() {
		return ""
	}
	best := config.Generated{}
	for _, g := range p.Subject.Spec.Generated[params.Feature] {
		if (g.Path == path || g.Source != "" && strings.HasPrefix(path, strings.TrimSuffix(g.Path, "/")+"/")) && len(g.Path) >= len(best.Path) {
			best = g
		}
	}
	if best.Path == "" {
		return ""
	}
	return config.PlaceOf(best.Range)
}
