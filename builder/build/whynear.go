package build

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
)

// treeSteps are the steps whose layers are in the system or in an extension. Tools, and
// the trees in which exec.build runs, are not.
func (p *Prepared) treeSteps() []*plan.Step {
	var steps []*plan.Step
	for _, s := range p.Graph.Steps() {
		if s.Output == plan.Layer && s.Stage != "tools" && s.Stage != "build" {
			steps = append(steps, s)
		}
	}
	return steps
}

// Near returns the path of a file whose name is nearly that of file, in the same
// directory or one whose name is nearly that; "" if there is none. Layers that are not in
// the cache are not looked at.
func (p *Prepared) Near(file string) string {
	var roots []string
	for _, s := range p.treeSteps() {
		key := p.Graph.Key(s.ID)
		if _, ok, err := p.Cache.Store.Get(key); err == nil && ok {
			roots = append(roots, p.Cache.Store.Data(key))
		}
	}
	near := "/"
	for _, name := range strings.Split(strings.Trim(canonical(filepath.Clean(file)), "/"), "/") {
		var names []string
		for _, root := range roots {
			names = append(names, entriesOf(root, near)...)
		}
		if !slices.Contains(names, name) {
			if name = config.Suggest(name, names); name == "" {
				return ""
			}
		}
		near = filepath.Join(near, name)
	}
	return near
}

// entriesOf are the names in a directory of a layer. Links that lead out of the layer
// are not followed: they would lead to files of this machine.
func entriesOf(layer, dir string) (names []string) {
	root, err := os.OpenRoot(layer)
	if err != nil {
		return nil
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), path.Clean(strings.TrimPrefix(dir, "/")))
	if err != nil {
		return nil // not in this layer
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
