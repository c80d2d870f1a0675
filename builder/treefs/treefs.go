package treefs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// MostFile is how large a file may be, in bytes, to be read as a whole.
const MostFile = 1 << 20

// MostNames is how many names the directories of a tree may give, each as often
// as it is listed.
const MostNames = 500_000

// FS is a tree. It follows links, as [os.DirFS] does.
type FS struct {
	dir string
	// names counts those that directories gave; last is what was opened last.
	names *atomic.Int64
	last  *atomic.Pointer[string]
	below string // where the FS's root is in the tree, for last
}

// New returns the tree in a directory.
func New(dir string) *FS {
	return &FS{dir: dir, names: new(atomic.Int64), last: new(atomic.Pointer[string])}
}

// Last is the name of what was opened last, "" if nothing was.
func (t *FS) Last() string {
	if name := t.last.Load(); name != nil {
		return *name
	}
	return ""
}

func (t *FS) open(name string) (*os.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	t.opened(name)
	return open(t.path(name), name)
}

func (t *FS) opened(name string) {
	full := path.Join(t.below, name)
	t.last.Store(&full)
}

// count takes in that a directory gave so many names.
func (t *FS) count(names int) error {
	if t.names.Add(int64(names)) > MostNames {
		return fmt.Errorf("there are too many files in this tree: its directories have more than %d names (counted at each reading)", MostNames)
	}
	return nil
}

func (t *FS) path(name string) string { return filepath.Join(t.dir, filepath.FromSlash(name)) }

// Open implements [fs.FS] for regular files and directories; anything else is a
// [KindError].
func (t *FS) Open(name string) (fs.File, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	return &file{f, t}, nil
}

// file is an open file or directory of a tree.
type file struct {
	*os.File
	tree *FS
}

// ReadDir implements [fs.ReadDirFile].
func (f *file) ReadDir(n int) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for n <= 0 || len(all) < n {
		most := 1000
		if n > 0 {
			most = min(most, n-len(all))
		}
		some, err := f.File.ReadDir(most)
		all = append(all, some...)
		if bad := f.tree.count(len(some)); bad != nil {
			return nil, bad
		}
		if errors.Is(err, io.EOF) && (n <= 0 || len(all) > 0) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// ReadDir implements [fs.ReadDirFS].
func (t *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := (&file{f, t}).ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, t.shown(name, err)
}

// ReadFile implements [fs.ReadFileFS]; a file of more than [MostFile] is a
// [SizeError].
func (t *FS) ReadFile(name string) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, name, MostFile)
}

// Stat implements [fs.StatFS].
func (t *FS) Stat(name string) (fs.FileInfo, error) { return t.info("stat", name, os.Stat) }

// Lstat implements [fs.ReadLinkFS].
func (t *FS) Lstat(name string) (fs.FileInfo, error) { return t.info("lstat", name, os.Lstat) }

func (t *FS) info(op, name string, ask func(string) (fs.FileInfo, error)) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	info, err := ask(t.path(name))
	return info, t.shown(name, err)
}

// ReadLink implements [fs.ReadLinkFS].
func (t *FS) ReadLink(name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := os.Readlink(t.path(name))
	return target, t.shown(name, err)
}

// shown gives an error the name that a file has in the tree.
func (t *FS) shown(name string, err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return &fs.PathError{Op: p.Op, Path: name, Err: p.Err}
	}
	return err
}

// Sub implements [fs.SubFS]. The tree below counts with this one.
func (t *FS) Sub(dir string) (fs.FS, error) {
	if !fs.ValidPath(dir) {
		return nil, &fs.PathError{Op: "sub", Path: dir, Err: fs.ErrInvalid}
	}
	sub := *t
	sub.dir, sub.below = t.path(dir), path.Join(t.below, dir)
	return &sub, nil
}

// Within returns a root as a tree that opens nothing but regular files and
// directories, and follows no link that leads out.
func Within(root *os.Root) fs.FS { return &within{root.FS().(rooted), root} }

// rooted is what [os.Root.FS] says that it implements.
type rooted interface {
	fs.StatFS
	fs.ReadDirFS
	fs.ReadLinkFS
}

type within struct {
	rooted
	root *os.Root
}

// Open implements [fs.FS].
func (w *within) Open(name string) (fs.File, error) {
	check := func(info fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if kind := special(info.Sys().(*syscall.Stat_t).Mode); kind != "" {
			return &fs.PathError{Op: "open", Path: name, Err: &KindError{kind}}
		}
		return nil
	}
	// Before, as opening a device does something; and after, as it may have
	// changed since.
	if err := check(w.root.Stat(name)); err != nil {
		return nil, err
	}
	f, err := w.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := check(f.Stat()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
