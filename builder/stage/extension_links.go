package stage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treefs"
)

// landing says where the link at rel of the extended tree has to lead so that it
// leads to the same on a machine: "" if its own target does. there says what a
// machine has. What the link needs but is left out is returned as lost.
func (t extensionTrees) landing(rel string, there func(rel string) bool) (end, lost string, err error) {
	way, err := follow(t.extended, rel)
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

// onDisk is where something of a machine lies in a tree, which may be in
// OSTree's shape: then /etc is made from /usr/etc.
func onDisk(tree, rel string) string {
	if first, _, _ := strings.Cut(rel, "/"); first == "etc" && !treefs.Exists(filepath.Join(tree, "etc")) {
		rel = "usr/" + rel
	}
	return filepath.Join(tree, rel)
}

// follow returns the links that lie on the way from the link at rel, that one
// first, and the place where they end, all relative to tree and as on a machine
// whose root the tree is. A way that ends nowhere is empty.
func follow(tree, rel string) ([]string, error) {
	var way []string
	at, rest := ".", rel
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		// Above the root is the root.
		next := strings.TrimPrefix(path.Join("/", at, part), "/")
		if next == "" {
			next = "."
		}
		info, err := os.Lstat(onDisk(tree, next))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().Type() != fs.ModeSymlink {
			at = next
			continue
		}
		// As many as Linux follows (path_resolution(7)).
		if way = append(way, next); len(way) > 40 {
			return nil, nil
		}
		target, err := os.Readlink(onDisk(tree, next))
		if err != nil {
			return nil, err
		}
		if path.IsAbs(target) {
			at = "."
		}
		rest = target + "/" + rest
	}
	return append(way, at), nil
}
