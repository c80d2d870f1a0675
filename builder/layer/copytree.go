package layer

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treefs"
)

// CopyTree makes the directory to, which must not exist, a copy of the
// directory from, file by file as [Copy] does: with owners, modes, times,
// extended attributes and hard links among its files. Owners, devices and some
// attributes take root.
func CopyTree(from, to string) error {
	return copyTree(treeCopier{from: from, to: to, names: map[uint64]string{}})
}

// linkTree is CopyTree that makes hard links in place of all copies but those of directories.
func linkTree(from, to string) error {
	return copyTree(treeCopier{from: from, to: to, link: true})
}

func copyTree(c treeCopier) error {
	from, to := c.from, c.to
	err := filepath.WalkDir(from, c.add)
	if err == nil {
		err = OnAllCores(len(c.files), func(i int) error { return c.files[i].copy() })
	}
	for _, l := range c.links {
		if err == nil {
			err = os.Link(l.first, l.to)
		}
	}
	if err != nil {
		return fmt.Errorf("copy %s to %s: %w", from, to, err)
	}
	// What was put into a directory changed its times.
	for i := len(c.dirs) - 1; i >= 0; i-- {
		d := c.dirs[i]
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, d.path, []unix.Timespec{d.time, d.time}, 0); err != nil {
			return &fs.PathError{Op: "utimes", Path: d.path, Err: err}
		}
	}
	return nil
}

type treeCopier struct {
	from, to string
	link     bool
	names    map[uint64]string // the copy of an inode
	dirs     []copiedDir
	files    []copiedFile
	links    []copiedLink // more names of files
}

// copiedLink is one more name of a file whose copy has the name first.
type copiedLink struct{ first, to string }

// copiedFile is a regular file that is to be copied.
type copiedFile struct {
	from, to string
	st       unix.Stat_t
}

func (f *copiedFile) copy() error {
	if err := Copy(f.from, f.to); err != nil {
		return err
	}
	return copyAttributes(f.from, f.to, &f.st)
}

type copiedDir struct {
	path string
	time unix.Timespec
}

func (c *treeCopier) add(path string, _ fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	to := c.to + strings.TrimPrefix(path, c.from)
	kind := st.Mode & unix.S_IFMT
	if c.link && kind != unix.S_IFDIR {
		return os.Link(path, to)
	}
	if st.Nlink > 1 && kind != unix.S_IFDIR {
		if first := c.names[st.Ino]; first != "" {
			c.links = append(c.links, copiedLink{first, to})
			return nil
		}
		c.names[st.Ino] = to
	}
	switch kind {
	case unix.S_IFDIR:
		c.dirs = append(c.dirs, copiedDir{to, st.Mtim})
		err = os.Mkdir(to, 0o700)
	case unix.S_IFREG:
		c.files = append(c.files, copiedFile{path, to, st})
		return nil
	case unix.S_IFLNK:
		var target string
		if target, err = os.Readlink(path); err == nil {
			err = os.Symlink(target, to)
		}
	default:
		err = unix.Mknod(to, st.Mode, int(st.Rdev))
	}
	if err != nil {
		return err
	}
	return copyAttributes(path, to, &st)
}

// copyAttributes gives a copy what a file has besides its content.
func copyAttributes(from, to string, st *unix.Stat_t) error {
	attrs, err := treefs.Attributes(from, ofHost)
	if err != nil {
		return err
	}
	if err := treefs.SetMetadata(to, int(st.Uid), int(st.Gid), st.Mode, attrs); err != nil {
		return err
	}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, to, []unix.Timespec{st.Mtim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimes", Path: to, Err: err}
	}
	return nil
}
