package extension

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/treewright/treewright/builder/stage/machine"
)

// landing describes where the link at rel of the extended tree has to lead so that it
// leads to the same on a machine: "" if its own target does. there says what a
// machine has. What the link needs but is left out is returned as lost.
func (t extensionTrees) landing(rel string, there func(rel string) bool) (end, lost string, err error) {
	way, err := machine.Follow(t.extended, rel)
	if err != nil || len(way) == 0 {
		return "", "", err
	}
	end = way[len(way)-1]
	for _, stop := range way {
		switch {
		case there(stop):
		case there(end):
			// Only links on the way are left out: an alternative in /etc, say.
			return end, "", nil
		default:
			return "", stop, nil
		}
	}
	return "", "", nil
}

// direct makes links that lead through what is left out lead straight to where
// they end. It returns a sentence for each that cannot be mended.
func (t extensionTrees) direct(files []leaving, there func(rel string) bool) ([]string, error) {
	var found []string
	for i, f := range files {
		info, err := os.Lstat(filepath.Join(t.extended, f.source()))
		if err != nil {
			return nil, err
		}
		if info.Mode().Type() != fs.ModeSymlink || f.target != "" {
			continue
		}
		end, lost, err := t.landing(f.source(), there)
		if err != nil {
			return nil, err
		}
		if lost != "" {
			found = append(found, fmt.Sprintf("the link /%s needs /%s, which is left out", f.path, lost))
		}
		if end != "" {
			if files[i].target, err = filepath.Rel(path.Dir(f.path), end); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}
