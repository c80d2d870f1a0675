package layer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Looks are what a step looked at in the tree that it worked on, and what it found there. The
// result of the step serves for each tree in which all of that is the same.
//
// They are in the directory of the result, in [looksFile]; the file looks/KIND/KEY of the store, which
// is empty, leads to them.
type Looks struct {
	// Format is [looksFormat].
	Format int `json:"format"`
	// Kind is the same for steps that differ only in their trees.
	Kind string `json:"kind"`
	// Epoch is that of the step's inputs; see [Result].
	Epoch int64  `json:"epoch"`
	Looks []Look `json:"looks"`

	// Key is the result's.
	Key string `json:"-"`
}

// Look is one place that was looked at.
type Look struct {
	// Path is relative to the tree. All parts of it but the last were directories, or it is
	// missing.
	Path string `json:"path"`
	// Content is true if a file was read, or a directory listed; for others lstat(2) counts.
	Content bool `json:"content,omitempty"`
	// Found is what was there; see [Node.Found].
	Found string `json:"found"`
}

// looksFormat changes with what is in looks.
const looksFormat = 1

// looksFile is beside the data of a result.
const looksFile = "looks"

// mostLooks is how many results of one kind are found by what was looked at. Older ones still
// serve for their own trees.
const mostLooks = 8

// NewLooks makes looks of the paths that a step looked at, with true for those whose content
// counts, in a tree. All that the layer in the directory data has counts as well: overlayfs
// copied directories, and files that were changed, from the tree.
func NewLooks(kind string, epoch int64, tree *Node, paths map[string]bool, data string) (*Looks, error) {
	all := map[string]bool{}
	note := func(name string, content bool) {
		all[name] = all[name] || content
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			all[dir] = all[dir] || false
		}
	}
	for name, content := range paths {
		note(name, content)
	}
	err := filepath.WalkDir(data, func(name string, _ fs.DirEntry, err error) error {
		if rel, rerr := filepath.Rel(data, name); rerr == nil {
			note(rel, true)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("note what a step looked at: %w", err)
	}
	l := &Looks{Format: looksFormat, Kind: kind, Epoch: epoch}
	for name, content := range all {
		l.Looks = append(l.Looks, Look{name, content, tree.Found(name, content)})
	}
	slices.SortFunc(l.Looks, func(a, b Look) int { return cmp.Compare(a.Path, b.Path) })
	return l, nil
}

// NoLooks makes looks of a step that has no tree, whose kind covers all that it works on.
func NoLooks(kind string, epoch int64) *Looks {
	return &Looks{Format: looksFormat, Kind: kind, Epoch: epoch}
}

// Changed returns the first path at which a tree has something else than was found; "" if all is the same.
func (l *Looks) Changed(tree *Node) string {
	for _, look := range l.Looks {
		if tree.Found(look.Path, look.Content) != look.Found {
			return look.Path
		}
	}
	return ""
}

// Found describes what is at a path of a tree; "" if nothing is there, or if a part of the way is not a
// directory. With content it covers what a file contains, and the names and types of a directory's
// entries. The time of a directory that was not listed is left out, because it changes with the
// entries.
func (n *Node) Found(name string, content bool) string {
	if name != "." {
		for part := range strings.SplitSeq(name, "/") {
			if n = n.Entries[part]; n == nil {
				return ""
			}
		}
	}
	found := fmt.Sprintf("%o %d %d %s", n.Mode, n.UID, n.GID, n.Attributes)
	if n.Entries == nil {
		found += fmt.Sprintf(" %d %d %s", n.Size, n.Mtime, n.Target)
	}
	switch {
	case !content:
	case n.Entries == nil:
		found += " " + n.SHA256
	default:
		entries := make([]string, 0, len(n.Entries))
		for name, entry := range n.Entries {
			entries = append(entries, fmt.Sprintf("%s/%o", name, entry.Mode&unix.S_IFMT))
		}
		slices.Sort(entries)
		found += fmt.Sprintf(" %d %s", n.Mtime, hashBytes([]byte(strings.Join(entries, "/"))))
	}
	return found
}

// Looks returns the records of results of a kind, the newest first. What cannot be
// understood is left out.
func (s *Store) Looks(kind string) ([]*Looks, error) {
	marks, err := s.marks(kind)
	if err != nil {
		return nil, err
	}
	var all []*Looks
	for _, m := range marks {
		raw, ok, err := ReadSealed(filepath.Join(s.dir(m.key), looksFile))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read what a step looked at: %w", err)
		}
		l := &Looks{Key: m.key}
		if ok && json.Unmarshal(raw, l) == nil && l.Format == looksFormat && l.Kind == kind {
			all = append(all, l)
		}
	}
	return all, nil
}

// mark is a file that leads to a result.
type mark struct {
	key  string
	made time.Time
}

// marks lists those of a kind, the newest first.
func (s *Store) marks(kind string) ([]mark, error) {
	files, err := os.ReadDir(filepath.Join(s.root, "looks", kind))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for results: %w", err)
	}
	var marks []mark
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			marks = append(marks, mark{f.Name(), info.ModTime()})
		}
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return b.made.Compare(a.made) })
	return marks, nil
}

// write writes the looks into the directory of a result.
func (l *Looks) write(dir string) error {
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return WriteSealed(filepath.Join(dir, looksFile), raw, 0o644)
}

// mark lets the looks of a result be found, in the place of those of another one, if that has
// the same.
func (s *Store) mark(l *Looks, key string) {
	dir := filepath.Join(s.root, "looks", l.Kind)
	// Without it the step only runs again some time.
	if errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, key), nil, 0o644)) != nil {
		return
	}
	if l.Key != "" && l.Key != key {
		_ = os.Remove(filepath.Join(dir, l.Key))
	}
	marks, _ := s.marks(l.Kind)
	for _, m := range marks[min(mostLooks, len(marks)):] {
		_ = os.Remove(filepath.Join(dir, m.key))
	}
}

// sweepMarks removes the marks that lead to results that are gone.
func (s *Store) sweepMarks() error {
	kinds, err := os.ReadDir(filepath.Join(s.root, "looks"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sweep cache: %w", err)
	}
	for _, kind := range kinds {
		marks, err := s.marks(kind.Name())
		if err != nil {
			return err
		}
		dir := filepath.Join(s.root, "looks", kind.Name())
		for _, m := range marks {
			if _, err := os.Lstat(s.dir(m.key)); errors.Is(err, fs.ErrNotExist) {
				_ = os.Remove(filepath.Join(dir, m.key))
			}
		}
		_ = os.Remove(dir) // it fails if there are marks
	}
	return nil
}
