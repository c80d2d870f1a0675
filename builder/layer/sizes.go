package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Sized is a regular file of a tree.
type Sized struct {
	Path  string // absolute in the tree
	Bytes int64  // 0 for all names of an inode but the first
	Layer int    // the index of the layer that has it
}

// Sizes returns the files of a tree of layers, given as their directories from the lowest
// on, sorted within each layer. Nothing is mounted.
func Sizes(dirs []string) ([]Sized, error) {
	w := sizing{seen: map[string]bool{}, dirs: map[string]bool{}}
	for i := len(dirs) - 1; i >= 0; i-- {
		w.layer, w.dir, w.inodes = i, dirs[i], map[uint64]bool{}
		w.hides = nil
		if err := filepath.WalkDir(dirs[i], w.visit); err != nil {
			return nil, fmt.Errorf("read the layer %s: %w", dirs[i], err)
		}
		w.hidden = append(w.hidden, w.hides...)
	}
	return w.files, nil
}

// sizing walks layers from the highest on.
type sizing struct {
	dir    string
	layer  int
	inodes map[uint64]bool
	files  []Sized
	// seen are the paths of which a higher layer has something other than a directory, and dirs those of
	// directories. hidden are the directories whose
	// content in lower layers is hidden, and hides those that this layer adds.
	seen, dirs    map[string]bool
	hidden, hides []string
}

func (w *sizing) visit(path string, entry fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if path == w.dir {
		return nil
	}
	rel := strings.TrimPrefix(path, w.dir)
	if w.covered(rel) || w.dirs[rel] && !entry.IsDir() {
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	if entry.IsDir() {
		w.dirs[rel] = true
		opaque, err := opaque(path)
		if opaque {
			w.hides = append(w.hides, rel+"/")
		}
		return err
	}
	w.seen[rel] = true
	if entry.Type().IsRegular() {
		bytes := st.Size
		if w.inodes[st.Ino] {
			bytes = 0
		}
		w.inodes[st.Ino] = true
		w.files = append(w.files, Sized{rel, bytes, w.layer})
	}
	return nil
}

// covered reports whether a higher layer has or removes a path. What is not a directory there
// hides a directory with all that is in it.
func (w *sizing) covered(rel string) bool {
	if w.seen[rel] {
		return true
	}
	for _, h := range w.hidden {
		if strings.HasPrefix(rel, h) {
			return true
		}
	}
	return false
}

// opaque reports whether a directory hides those of lower layers; see overlayfs in the
// kernel's documentation.
func opaque(path string) (bool, error) {
	value := make([]byte, 8)
	n, err := unix.Lgetxattr(path, "trusted.overlay.opaque", value)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return false, nil
	}
	if err != nil {
		return false, &fs.PathError{Op: "lgetxattr", Path: path, Err: err}
	}
	return string(value[:n]) == "y", nil
}
