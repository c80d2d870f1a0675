package layer

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Hold keeps a directory of the cache (absolute, no link) from being removed by
// [Discard] until [Store.Close] or the end of the process, and reports whether it
// is there.
func (s *Store) Hold(dir string) (bool, error) { return s.holds.Hold(dir) }

// LetGo ends the hold on a result.
func (s *Store) LetGo(key string) {
	s.holds.mu.Lock()
	defer s.holds.mu.Unlock()
	s.holds.drop(s.dir(key))
}

// Close lets go of all that the store's user relied on.
func (s *Store) Close() { s.holds.Close() }

// tombPrefix begins the names of directories that are being removed.
const tombPrefix = ".removed-"

// seize takes the exclusive lock on a directory, if nobody has one; the caller
// closes fd.
func seize(dir string) (fd int, free bool, err error) {
	fd, err = unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return -1, false, nil
	}
	if err != nil {
		return -1, false, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	err = flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == nil && sameFile(fd, dir) {
		return fd, true, nil
	}
	unix.Close(fd)
	if err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
		return -1, false, fmt.Errorf("lock %s: %w", dir, err)
	}
	return -1, false, nil
}
