package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// watcher notes the looks of one step.
type watcher struct {
	noted
	listener int
	path     string        // where the step's first process has the tree
	seen     map[look]bool // looks that need not be followed again
	turned   bool          // paths may lead elsewhere than when they were seen
}

func newWatcher(listener int, tree string) *watcher {
	return &watcher{listener: listener, path: tree, seen: map[look]bool{}, noted: noted{tree: -1, paths: map[string]bool{}, read: map[string]bool{}}}
}

// look is a path as a program has it, and the program's root, where absolute links begin.
type look struct {
	root, path string
	content    bool
}

// note notes what a stopped call looks at.
func (w *watcher) note(n *notification) {
	operands, known := pathCalls[n.call]
	if n.arch != abis[runtime.GOARCH][0].arch || !known {
		w.spoil(fmt.Errorf("a program made the system call %d of architecture %#x, which this version of treewright does not know", n.call, n.arch))
		return
	}
	p := process{pid: int(n.pid)}
	if err := w.find(&p); err != nil {
		w.spoil(err)
		return
	}
	for _, o := range operands {
		if n.args[o.path] == 0 {
			continue
		}
		path, err := p.text(uintptr(n.args[o.path]))
		if errors.Is(err, unix.EFAULT) || errors.Is(err, unix.ESRCH) {
			continue // the call fails, or its process is gone
		}
		if err != nil {
			w.spoil(fmt.Errorf("read the memory of a program: %w", err))
			return
		}
		dir := int32(unix.AT_FDCWD)
		if o.dir != none {
			dir = int32(n.args[o.dir])
		}
		w.operand(&p, dir, path, o.content, n.call)
	}
}

// operand notes one path of a call.
func (w *watcher) operand(p *process, dir int32, path string, content bool, call uint32) {
	if path == "" && !(content && dir >= 0) {
		return // it is about a file that was opened
	}
	if strings.HasPrefix(path, "/") {
		path = p.root + path
	} else {
		from, err := p.directory(dir)
		if err != nil {
			return // the call fails, or the descriptor is not a file
		}
		if strings.HasSuffix(from, deletedMark) {
			w.spoil(errors.New("a program looked at files from a directory that it had removed"))
			return
		}
		path = from + "/" + path
	}
	if !p.inside && !w.below(&path) {
		return
	}
	l := look{p.root, path, content}
	if !w.turned && w.seen[l] {
		return
	}
	f := follower{w: &w.noted, p: p, exec: call == unix.SYS_EXECVE || call == unix.SYS_EXECVEAT}
	if outside := f.follow(path, content); !outside {
		w.seen[l] = true
		w.turned = w.turned || slices.Contains(turning, call)
	}
}

// below makes a path that a process outside of the tree has relative to the tree, and
// returns false if it is not in there.
func (w *watcher) below(path *string) bool {
	rest, ok := strings.CutPrefix(*path, w.path)
	if !ok || rest != "" && rest[0] != '/' {
		return false
	}
	*path = rest
	return true
}

// find finds out where a process has its root.
func (w *watcher) find(p *process) error {
	root := p.proc("root")
	if w.tree < 0 {
		// It is the step's own process, which has not started a program yet.
		fd, err := unix.Open(root+w.path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open the tree of a step: %w", err)
		}
		w.tree = fd
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		w.at = fileID{st.Dev, st.Ino}
	}
	var st unix.Stat_t
	if err := unix.Stat(root, &st); err != nil {
		return nil // it is gone
	}
	if p.inside = (w.at == fileID{st.Dev, st.Ino}); p.inside {
		return nil
	}
	text, err := os.Readlink(root)
	if err == nil && text != "/" { // chroot(2)
		p.inside, p.root = true, text
	}
	return nil
}
