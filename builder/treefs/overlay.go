package treefs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Overlay copies what is below from over the tree: files get root as
// their owner and their mode with u+rw,go=u-w (as the Garden Linux builder has
// it), directories that are there keep what they have. Links in the tree are
// followed on the way to a file (usr merge, /var/run), as programs of the tree
// would, so never out of it.
func Overlay(from, tree string, log io.Writer) error {
	root, err := OpenRoot(tree)
	if err != nil {
		return err
	}
	defer root.Close()
	links := map[uint64]string{}
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == from {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			err = overlayDir(root, rel, info)
		} else {
			err = overlayEntry(root, p, rel, info, links)
		}
		if err != nil {
			return fmt.Errorf("/%s: %w", rel, err)
		}
		if !d.IsDir() {
			fmt.Fprintf(log, "included /%s\n", rel)
		}
		return nil
	})
}

// overlayDir makes a directory unless there is one, perhaps through a link.
func overlayDir(root *Root, rel string, info fs.FileInfo) error {
	have, err := root.Stat(rel)
	switch {
	case err == nil && have.IsDir():
		return nil
	case err == nil:
		return errors.New("it is a directory in the feature and not in the tree")
	}
	if err := root.explain(rel, nil); err != nil {
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return root.InParent(rel, func(dir *os.Root, base string) error {
		return errors.Join(dir.Mkdir(base, 0o755), dir.Chmod(base, PlainMode(info.Mode())))
	})
}

// overlayEntry copies a file or a link. links are the files with several names
// that were copied, by their inode.
func overlayEntry(root *Root, p, rel string, info fs.FileInfo, links map[uint64]string) error {
	return root.InParent(rel, func(dir *os.Root, base string) error {
		if have, err := dir.Lstat(base); err == nil {
			if have.IsDir() {
				return errors.New("it is a directory in the tree and not in the feature")
			}
			if err := dir.Remove(base); err != nil {
				return err
			}
		}
		if info.Mode().Type() == fs.ModeSymlink {
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			return dir.Symlink(target, base)
		}
		if ino, many := linkedInode(info); many {
			if first, ok := links[ino]; ok {
				return root.link(first, rel)
			}
			links[ino] = rel
		}
		return overlayFile(dir, p, base, info)
	})
}

func overlayFile(dir *os.Root, p, base string, info fs.FileInfo) error {
	out, err := dir.OpenFile(base, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(Fill(out, p), out.Chmod(PlainMode(info.Mode())), out.Close())
}

// PlainMode is chmod u+rw,go=u-w.
func PlainMode(m fs.FileMode) fs.FileMode {
	user := m.Perm()>>6&7 | 6
	other := user &^ 2
	return user<<6 | other<<3 | other
}

// linkedInode returns a file's inode number, and whether it has several names.
func linkedInode(info fs.FileInfo) (uint64, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Ino, st.Nlink > 1
}
