package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// Hold keeps a directory of the cache (absolute, no link) from being removed by
// [Discard] until [Store.Close] or the end of the process, and reports whether it
// is there.
func (s *Store) Hold(dir string) (bool, error) {
	s.holds.mu.Lock()
	defer s.holds.mu.Unlock()
	if fd, ok := s.holds.fds[dir]; ok {
		if sameFile(fd, dir) {
			return true, nil
		}
		s.holds.drop(dir)
	}
	for {
		fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENOENT) {
			return false, nil
		}
		if err == nil {
			err = flock(fd, unix.LOCK_SH|unix.LOCK_NB)
		}
		if errors.Is(err, unix.EWOULDBLOCK) {
			// The holder of the exclusive lock is about to remove it. Soon another
			// directory has its name, or none; to wait for the lock would be to wait
			// until all that was in it is gone.
			unix.Close(fd)
			time.Sleep(holdPoll)
			continue
		}
		if err != nil {
			unix.Close(fd)
			return false, fmt.Errorf("hold %s: %w", dir, err)
		}
		if sameFile(fd, dir) {
			s.holds.put(dir, fd)
			return true, nil
		}
		unix.Close(fd)
	}
}

// holdPoll is how often a directory that is about to be removed is looked for
// again.
const holdPoll = 5 * time.Millisecond

// LetGo ends the hold on a result.
func (s *Store) LetGo(key string) {
	s.holds.mu.Lock()
	defer s.holds.mu.Unlock()
	s.holds.drop(s.dir(key))
}

// Close lets go of all that the store's user relied on.
func (s *Store) Close() {
	s.holds.mu.Lock()
	defer s.holds.mu.Unlock()
	for dir := range s.holds.fds {
		s.holds.drop(dir)
	}
}

func flock(fd, how int) error {
	for {
		if err := unix.Flock(fd, how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

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
