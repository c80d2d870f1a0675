package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// removeAll is os.RemoveAll for trees that hold what steps left: immutable
// files (a deployment's root), and directories without permissions.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	walkErr := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return ClearImmutable(path)
		}
		return nil
	})
	if walkErr != nil {
		return walkErr
	}
	return os.RemoveAll(dir)
}

// immutableFlag is FS_IMMUTABLE_FL of linux/fs.h.
const immutableFlag = 0x10

// ClearImmutable is chattr -i (chattr(1)). A file system without such flags is
// fine.
func ClearImmutable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil || flags&immutableFlag == 0 {
		return nil
	}
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags&^uint32(immutableFlag))); err != nil {
		return fmt.Errorf("chattr -i %s: %w", path, err)
	}
	return nil
}

// Remove removes the result of key, unless somebody is making it now.
func (s *Store) Remove(key string) error {
	if strings.ContainsAny(key, "/.") {
		return fmt.Errorf("remove result: %q is no key", key)
	}
	lock := filepath.Join(s.root, "locks", key)
	f, err := os.OpenFile(lock, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("remove result: %w", err)
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove result: %w", err)
	}
	// First out of sight, then gone: a reader sees all of it or nothing.
	tomb, err := os.MkdirTemp(filepath.Join(s.root, "drafts"), "removed.")
	if err != nil {
		return fmt.Errorf("remove result: %w", err)
	}
	if err := os.Rename(s.dir(key), filepath.Join(tomb, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove result: %w", err)
	}
	_ = os.Remove(lock)
	if err := removeAll(tomb); err != nil {
		return fmt.Errorf("remove result: %w", err)
	}
	return nil
}
