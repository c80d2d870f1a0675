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
)

// dangling finds links that lead somewhere in the extended tree but nowhere on
// a machine, as what they lead to is left out (an alternative in /etc, say).
// It returns a sentence for each.
func (t extensionTrees) dangling(files []leaving) ([]string, error) {
	leaves := map[string]bool{}
	for _, f := range files {
		leaves[f.path] = true
	}
	var found []string
	for _, f := range files {
		info, err := os.Lstat(filepath.Join(t.extended, f.path))
		if err != nil {
			return nil, err
		}
		if info.Mode().Type() != fs.ModeSymlink {
			continue
		}
		way, err := follow(t.extended, f.path)
		if err != nil {
			return nil, err
		}
		for _, stop := range way {
			// Outside /usr and /opt a machine has what the system's tree has;
			// the committed one has that elsewhere.
			if !leaves[stop] && !exists(filepath.Join(t.system, stop)) {
				found = append(found, fmt.Sprintf("the link /%s needs /%s, which is left out", f.path, stop))
				break
			}
		}
	}
	return found, nil
}

// onDisk is where something of a machine lies in a tree, which may be in
// OSTree's shape: then /etc is made from /usr/etc.
func onDisk(tree, rel string) string {
	if first, _, _ := strings.Cut(rel, "/"); first == "etc" && !exists(filepath.Join(tree, "etc")) {
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
