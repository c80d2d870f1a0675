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

// copyLeaving copies files and folders from tree to the new folder out, with
// their owners, modes, extended attributes and links among each other, and
// makes the folders above them as they are in the tree. No file keeps a time
// after the epoch.
func copyLeaving(tree, out string, files []leaving, epoch int64) error {
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	c := copier{tree: tree, out: out, epoch: epoch, folders: map[string]bool{".": true}, links: map[fileID]string{}}
	for _, f := range files {
		var err error
		if f.folder {
			err = c.folder(f.path, f.source())
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
	tree, out string
	epoch     int64
	folders   map[string]bool
	links     map[fileID]string // file in the tree -> path below out
}

// fileID is what all names of a file have in common.
type fileID struct{ dev, ino uint64 }

// above makes the folder that something is in.
func (c *copier) above(rel string) error { return c.folder(path.Dir(rel), path.Dir(rel)) }

// folder makes a folder of the extension like one of the tree, or, where the
// tree has none, one that everybody can read.
func (c *copier) folder(rel, source string) error {
	if c.folders[rel] {
		return nil
	}
	c.folders[rel] = true
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
	return copyMetadata(from, to, st)
}

func (c *copier) file(f leaving) error {
	from, to := filepath.Join(c.tree, f.source()), filepath.Join(c.out, f.path)
	var st unix.Stat_t
	if err := unix.Lstat(from, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: from, Err: err}
	}
	if st.Nlink > 1 && f.target == "" {
		id := fileID{st.Dev, st.Ino}
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
	} else if err := copyContent(from, to); err != nil {
		return err
	} else if err := copyMetadata(from, to, st); err != nil {
		return err
	}
	return setTimes(to, min(st.Mtim.Sec, c.epoch), c.epoch)
}

// writeNew writes a file of the extension that is in no tree.
func (t *Task) writeNew(out, rel, text string, mode os.FileMode) error {
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
	return setTimes(path, t.Epoch, t.Epoch)
}

func copyContent(from, to string) error {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(fill(out, from), out.Close())
}

// copyMetadata gives a file or folder the owner, mode and extended attributes
// of another. In this order: a new owner takes away set-user-ID bits and
// capabilities.
func copyMetadata(from, to string, st unix.Stat_t) error {
	if err := os.Lchown(to, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if err := unix.Chmod(to, st.Mode&0o7777); err != nil {
		return &fs.PathError{Op: "chmod", Path: to, Err: err}
	}
	attrs, err := attributes(from)
	if err != nil {
		return err
	}
	for name, value := range attrs {
		if err := unix.Lsetxattr(to, name, value, 0); err != nil {
			return fmt.Errorf("set extended attribute %s of %s: %w", name, to, err)
		}
	}
	return nil
}

// attributes returns a file's extended attributes but for overlayfs's own,
// which describe a layer and not the tree.
func attributes(file string) (map[string][]byte, error) {
	list := make([]byte, 64<<10)
	n, err := unix.Llistxattr(file, list)
	if errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "listxattr", Path: file, Err: err}
	}
	attrs := map[string][]byte{}
	for _, name := range strings.Split(strings.TrimRight(string(list[:n]), "\x00"), "\x00") {
		if name == "" || strings.HasPrefix(name, "trusted.overlay.") || strings.HasPrefix(name, "user.overlay.") {
			continue
		}
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(file, name, value)
		if err != nil {
			return nil, fmt.Errorf("get extended attribute %s of %s: %w", name, file, err)
		}
		attrs[name] = value[:n]
	}
	return attrs, nil
}

// settleFolders gives every folder the time of the epoch.
func settleFolders(dir string, epoch int64) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return setTimes(path, epoch, epoch)
	})
}
