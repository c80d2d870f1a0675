package treefs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Exists reports whether there is anything by that path, be it a link that leads to
// nothing.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// LinkOrCopy makes target a hard link to path, or a copy on another file
// system, which appears by rename.
func LinkOrCopy(path, target string) error {
	err := os.Link(path, target)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return replaceFile(path, target)
}

// replaceFile copies a file to another name, over what is there, by rename.
func replaceFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(to), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	if err := errors.Join(out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

// LinkTree copies a directory with hard links for its files (copies, on another
// file system). The directory to must not exist.
func LinkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch info.Mode().Type() {
		case fs.ModeDir:
			if err := os.Mkdir(target, info.Mode().Perm()); err != nil {
				return err
			}
			return os.Chmod(target, info.Mode())
		case fs.ModeSymlink:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		return LinkOrCopy(path, target)
	})
}
