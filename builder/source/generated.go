package source

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treefs"
)

// ImportGenerated takes a snapshot of generated files, each at its path below the
// snapshot. project is the configuration tree that the sources of some of them are in.
// Of two that have the same path, the one with the longer path of its own counts.
func (s Snapshots) ImportGenerated(name, project string, files []config.Generated) (plan.Source, error) {
	root, err := os.OpenRoot(project)
	if err != nil {
		return plan.Source{}, fmt.Errorf("read %s: %w", project, err)
	}
	defer root.Close()
	g := generated{FS: treefs.Within(root)}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b config.Generated) int { return len(a.Path) - len(b.Path) })
	entries := map[string]config.File{}
	for _, f := range files {
		if err := g.add(entries, f); err != nil {
			return plan.Source{}, fmt.Errorf("%s: %w", config.PlaceOf(f.Range), err)
		}
	}
	// In the order in which directories are walked.
	order := slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
	})
	return s.snapshot(name, name, &g, func(visit func(config.File) error) error {
		for _, at := range order {
			if err := visit(entries[at]); err != nil {
				return err
			}
		}
		return nil
	})
}

// ImportBytes makes a source of one file with this name and content.
func (s Snapshots) ImportBytes(name, file string, content []byte) (plan.Source, error) {
	g := generated{contents: [][]byte{content}}
	only := config.File{Name: file, Real: g.name(0), Info: contentInfo{size: int64(len(content)), mode: 0o644}}
	return s.snapshot(name, name, &g, func(visit func(config.File) error) error { return visit(only) })
}

// generated is a tree with further files, whose names are "\x00" and their number.
type generated struct {
	fs.FS
	contents [][]byte
}

// name is that of a further file.
func (*generated) name(i int) string { return "\x00" + strconv.Itoa(i) }

// Open implements [fs.FS].
func (g *generated) Open(name string) (fs.File, error) {
	number, ours := strings.CutPrefix(name, "\x00")
	if !ours {
		return g.FS.Open(name)
	}
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(g.contents) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openContent{bytes.NewReader(g.contents[i])}, nil
}

// add takes in one generated file, or what is in its source.
func (g *generated) add(entries map[string]config.File, f config.Generated) error {
	at := strings.TrimPrefix(f.Path, "/")
	put := func(file config.File) error {
		have, there := entries[file.Name]
		if there && have.Info.IsDir() != file.Info.IsDir() {
			return fmt.Errorf("/%s is a directory and a file", file.Name)
		}
		entries[file.Name] = file
		return nil
	}
	for dir := path.Dir(at); dir != "." && at != ""; dir = path.Dir(dir) {
		if err := put(config.File{Name: dir, Info: contentInfo{mode: fs.ModeDir | 0o755}}); err != nil {
			return err
		}
	}
	switch {
	case f.Target != "":
		return put(config.File{Name: at, Target: f.Target, Info: contentInfo{mode: fs.ModeSymlink | 0o777}})
	case f.Source == "":
		mode := fs.FileMode(0o644)
		if f.Executable {
			mode = 0o755
		}
		g.contents = append(g.contents, f.Content)
		return put(config.File{Name: at, Real: g.name(len(g.contents) - 1), Info: contentInfo{size: int64(len(f.Content)), mode: mode}})
	}
	return fs.WalkDir(g.FS, f.Source, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(f.Source, name)
		file := config.File{Name: path.Join(at, rel), Real: name}
		if err != nil || file.Name == "." {
			return err
		}
		if file.Info, err = d.Info(); err != nil {
			return err
		}
		if d.Type() == fs.ModeSymlink {
			if file.Target, err = fs.ReadLink(g.FS, name); err != nil {
				return err
			}
		}
		return put(file)
	})
}

// openContent is an open generated file.
type openContent struct{ *bytes.Reader }

// Stat implements [fs.File].
func (o *openContent) Stat() (fs.FileInfo, error) {
	return contentInfo{size: o.Size(), mode: 0o644}, nil
}

// Close implements [fs.File].
func (o *openContent) Close() error { return nil }

// contentInfo describes a generated file, or a directory that one is in.
type contentInfo struct {
	size int64
	mode fs.FileMode
}

// Name implements [fs.FileInfo], as do the methods below.
func (contentInfo) Name() string { return "" }

// Size is the length in bytes.
func (i contentInfo) Size() int64 { return i.size }

// Mode is the type with the permissions.
func (i contentInfo) Mode() fs.FileMode { return i.mode }

// ModTime is the zero time: snapshots have none.
func (contentInfo) ModTime() time.Time { return time.Time{} }

// IsDir reports whether it is a directory.
func (i contentInfo) IsDir() bool { return i.mode.IsDir() }

// Sys is nil.
func (contentInfo) Sys() any { return nil }
