package sandbox

import "golang.org/x/sys/unix"

// noted has the paths of one step. All paths are relative to the tree.
type noted struct {
	tree  int // the directory of the tree, once a process was seen
	at    fileID
	paths map[string]bool
	read  map[string]bool // programs whose interpreters are noted
	fault error           // why not all was seen
}

type fileID struct{ device, inode uint64 }

func (n *noted) close() {
	if n.tree >= 0 {
		unix.Close(n.tree)
	}
}

// spoil notes that not all was seen.
func (n *noted) spoil(err error) {
	if n.fault == nil {
		n.fault = err
	}
}

// keep keeps a look.
func (n *noted) keep(path string, content bool) { n.paths[path] = n.paths[path] || content }
