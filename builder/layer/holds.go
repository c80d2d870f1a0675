package layer

import (
	"sync"

	"golang.org/x/sys/unix"
)

// holds are the directories that this process relies on: on each it has a
// shared lock (flock(2)), on the directory itself. So there is no lock file
// that could be removed or left, and a directory that took the other's place is
// not held by mistake.
type holds struct {
	mu sync.Mutex
	// The descriptors are bare: an os.File is closed when nobody knows it any
	// more, and a machine may run from a tree long after its store was forgotten.
	fds map[string]int
}

// drop ends the hold on a directory, if there is one.
func (h *holds) drop(dir string) {
	if fd, ok := h.fds[dir]; ok {
		unix.Close(fd)
		delete(h.fds, dir)
	}
}

// adopt makes fd, which has a shared lock, the hold on a directory.
func (h *holds) adopt(dir string, fd int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(dir, fd)
}

func (h *holds) put(dir string, fd int) {
	h.drop(dir)
	if h.fds == nil {
		h.fds = map[string]int{}
	}
	h.fds[dir] = fd
}
