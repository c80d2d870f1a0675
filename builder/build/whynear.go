package build

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/stage/machine"
)

// Near returns the path of a file whose name is nearly that of file, in the same
// directory or one whose name is nearly that; "" if there is none. Layers that are not in
// the cache are not looked at.
func (l *Layers) Near(file string) string {
	var roots []string
	if _, err := l.each(func(_ *known, dir string) { roots = append(roots, dir) }); err != nil {
		return ""
	}
	near := "/"
	for _, name := range strings.Split(strings.Trim(machine.Canonical(filepath.Clean(file)), "/"), "/") {
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
