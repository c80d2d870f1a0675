package layer

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Holds are the directories that this process needs. It has a shared lock
// (flock(2)) on each directory itself, without a lock file
// that could be removed or left. A directory that replaces another one is
// not held by mistake. The zero value does not hold a directory.
type Holds struct {
	mu sync.Mutex
	// The descriptors are bare: an os.File is closed by the garbage
	// collector, and a machine may run from a tree long after its store was forgotten.
	fds map[string]int
}

// Hold keeps a directory of the cache (absolute, no link) from being removed by
// [Discard] until Close or the end of the process, and reports whether it
// exists.
func (h *Holds) Hold(dir string) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if fd, ok := h.fds[dir]; ok {
		if sameFile(fd, dir) {
			return true, nil
		}
		h.drop(dir)
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
			// The holder of the exclusive lock is about to remove it. Soon the name is free
			// or belongs to another directory. The lock is free only after the removal of
			// all files.
			unix.Close(fd)
			time.Sleep(holdPoll)
			continue
		}
		if err != nil {
			unix.Close(fd)
			return false, fmt.Errorf("hold %s: %w", dir, err)
		}
		if sameFile(fd, dir) {
			h.put(dir, fd)
			return true, nil
		}
		unix.Close(fd)
	}
}

// holdPoll is the time between two checks for a directory that is about to be
// removed.
const holdPoll = 5 * time.Millisecond

// Close ends all holds.
func (h *Holds) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for dir := range h.fds {
		h.drop(dir)
	}
}

// drop ends the hold on a directory, if it is held.
func (h *Holds) drop(dir string) {
	if fd, ok := h.fds[dir]; ok {
		unix.Close(fd)
		delete(h.fds, dir)
	}
}

// adopt makes fd, which has a shared lock, the hold on a directory.
func (h *Holds) adopt(dir string, fd int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(dir, fd)
}

func (h *Holds) put(dir string, fd int) {
	h.drop(dir)
	if h.fds == nil {
		h.fds = map[string]int{}
	}
	h.fds[dir] = fd
}
