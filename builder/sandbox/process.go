package sandbox

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// deletedMark is how the kernel marks a file that was removed.
const deletedMark = " (deleted)"

// process is one that was stopped.
type process struct {
	pid    int
	inside bool   // its root is the tree, or in there
	root   string // where in the tree, "" for the tree itself
}

func (p *process) proc(name string) string { return "/proc/" + strconv.Itoa(p.pid) + "/" + name }

// directory returns where a descriptor leads, from the root of the process's mounts.
func (p *process) directory(fd int32) (string, error) {
	name := "cwd"
	if fd != unix.AT_FDCWD {
		name = "fd/" + strconv.Itoa(int(fd))
	}
	text, err := os.Readlink(p.proc(name))
	if err == nil && !strings.HasPrefix(text, "/") {
		err = unix.ENOTDIR // a pipe
	}
	return text, err
}

// text reads a path from the memory of the process.
func (p *process) text(at uintptr) (string, error) {
	var text []byte
	buffer := make([]byte, 512)
	for len(text) < unix.PathMax {
		// A read must not go from a page into one that does not exist.
		part := buffer[:min(len(buffer), 4096-int(at%4096))]
		n, err := unix.ProcessVMReadv(p.pid, []unix.Iovec{{Base: &part[0], Len: uint64(len(part))}}, []unix.RemoteIovec{{Base: at, Len: len(part)}}, 0)
		if err != nil {
			return "", err
		}
		if end := bytes.IndexByte(part[:n], 0); end >= 0 {
			return string(append(text, part[:end]...)), nil
		}
		text, at = append(text, part[:n]...), at+uintptr(n)
	}
	return "", unix.EFAULT // the kernel refuses it too
}
