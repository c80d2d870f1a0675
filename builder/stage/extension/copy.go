package extension

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// copyLeaving copies files and directories from tree to the new directory out, with
// their owners, modes, extended attributes and links among each other, and
// makes the directories above them as they are in the tree. No file keeps a time
// after the epoch.
func copyLeaving(tree, out string, files []leaving, epoch int64) error {
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	c := copier{tree: tree, out: out, epoch: epoch, directories: map[string]bool{".": true}, links: map[treefs.FileID]string{}}
	for _, f := range files {
		var err error
		if f.directory {
			err = c.directory(f.path, f.source())
		} else if err = c.above(f.path); err == nil {
			err = c.file(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type copier struct {
	tree, out   string
	epoch       int64
	directories map[string]bool
	links       map[treefs.FileID]string // file in the tree -> path below out
}

// above makes the directory that something is in.
func (c *copier) above(rel string) error { return c.directory(path.Dir(rel), path.Dir(rel)) }

// directory makes a directory of the extension like one of the tree, or, where the
// tree has none, one that everybody can read.
func (c *copier) directory(rel, source string) error {
	if c.directories[rel] {
		return nil
	}
	c.directories[rel] = true
	if err := c.above(rel); err != nil {
		return err
	}
	from, to := filepath.Join(c.tree, source), filepath.Join(c.out, rel)
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	var st unix.Stat_t
	switch err := unix.Lstat(from, &st); {
	case errors.Is(err, fs.ErrNotExist):
		return os.Chmod(to, 0o755)
	case err != nil:
		return &fs.PathError{Op: "lstat", Path: from, Err: err}
	}
	return treefs.CopyMetadata(from, to, st)
}

func (c *copier) file(f leaving) error {
	from, to := filepath.Join(c.tree, f.source()), filepath.Join(c.out, f.path)
	var st unix.Stat_t
	if err := unix.Lstat(from, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: from, Err: err}
	}
	if st.Nlink > 1 && f.target == "" {
		id := treefs.IDOf(st)
		if first, ok := c.links[id]; ok {
			return os.Link(first, to)
		}
		c.links[id] = to
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		target := f.target
		if target == "" {
			var err error
			if target, err = os.Readlink(from); err != nil {
				return err
			}
		}
		if err := os.Symlink(target, to); err != nil {
			return err
		}
		if err := os.Lchown(to, int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	} else if err := treefs.CopyContent(from, to); err != nil {
		return err
	} else if err := treefs.CopyMetadata(from, to, st); err != nil {
		return err
	}
	return treefs.SetTimes(to, min(st.Mtim.Sec, c.epoch), c.epoch)
}

// writeNew writes a file of the extension that is in no tree.
func writeNew(t *task.Task, out, rel, text string, mode os.FileMode) error {
	path := filepath.Join(out, rel)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return treefs.SetTimes(path, t.Epoch, t.Epoch)
}
