package layer

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Holds are the directories that this process relies on: on each it has a
// shared lock (flock(2)), on the directory itself. So there is no lock file
// that could be removed or left, and a directory that took the other's place is
// not held by mistake. The zero value has none.
type Holds struct {
	mu sync.Mutex
	// The descriptors are bare: an os.File is closed when nobody knows it any
	// more, and a machine may run from a tree long after its store was forgotten.
	fds map[string]int
}

// Hold keeps a directory of the cache (absolute, no link) from being removed by
// [Discard] until Close or the end of the process, and reports whether it
// is there.
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
			h.put(dir, fd)
			return true, nil
		}
		unix.Close(fd)
	}
}

// holdPoll is how often a directory that is about to be removed is looked for
// again.
const holdPoll = 5 * time.Millisecond

// Close lets go of all of them.
func (h *Holds) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for dir := range h.fds {
		h.drop(dir)
	}
}

// drop ends the hold on a directory, if there is one.
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
