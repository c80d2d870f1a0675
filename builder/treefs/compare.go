package treefs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// AddChanged adds what is below dir in one tree and is not the same in the
// one before.
func AddChanged(into map[string]bool, before, after, dir string) error {
	return filepath.WalkDir(filepath.Join(after, dir), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(after, path)
		if err != nil {
			return err
		}
		same, err := SameFile(filepath.Join(before, rel), path)
		if !same {
			into[rel] = true
		}
		return err
	})
}

// SameFile compares all of two files but their times.
func SameFile(a, b string) (bool, error) {
	one, err := os.Lstat(a)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	two, err := os.Lstat(b)
	if err != nil {
		return false, err
	}
	s, t := one.Sys().(*syscall.Stat_t), two.Sys().(*syscall.Stat_t)
	if one.Mode() != two.Mode() || s.Uid != t.Uid || s.Gid != t.Gid || !one.IsDir() && one.Size() != two.Size() {
		return false, nil
	}
	switch one.Mode().Type() {
	case fs.ModeSymlink:
		from, err := os.Readlink(a)
		to, err2 := os.Readlink(b)
		return from == to, errors.Join(err, err2)
	case 0:
		// The very same inode in a layer that both trees share; a copy of it that overlayfs made
		// has the same number, but was changed later.
		if s.Ino == t.Ino && s.Ctim == t.Ctim && s.Mtim == t.Mtim {
			return true, nil
		}
		return SameContent(a, b)
	}
	return true, nil
}

// SameContent compares the bytes of two files.
func SameContent(a, b string) (bool, error) {
	x, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer x.Close()
	y, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer y.Close()
	p, q := make([]byte, 128<<10), make([]byte, 128<<10)
	for {
		n, errX := io.ReadFull(x, p)
		m, errY := io.ReadFull(y, q)
		if n != m || !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		for _, err := range []error{errX, errY} {
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if errX != nil {
			return errY != nil, nil
		}
	}
}
