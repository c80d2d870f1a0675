package layer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Lock waits until no other process makes the result of key, and keeps others
// from doing so until unlock is called. When it has to wait, it calls waiting
// first.
func (s *Store) Lock(key string, waiting func()) (unlock func(), err error) {
	return LockFile(filepath.Join(s.root, "locks", key), waiting)
}

// LockFile takes an exclusive lock on path, which it creates. The lock ends
// with the process. When it has to wait, it calls waiting first.
func LockFile(path string, waiting func()) (unlock func(), err error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			waiting()
			for err = unix.EINTR; errors.Is(err, unix.EINTR); {
				err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
			}
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// Whoever held it may have removed the file: then this lock is on
		// nothing that another process could find.
		if sameFile(f, path) {
			return func() { f.Close() }, nil
		}
		f.Close()
	}
}

// sameFile says whether path still names the open file f.
func sameFile(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}
