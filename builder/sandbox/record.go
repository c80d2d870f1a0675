package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Record lets the process that has the other end of a [Recorder] see what this process, and
// all that it starts from now on, looks at in a tree. It returns false if this kernel, or what
// this process runs in, does not allow that; then all goes on without.
//
// The kernel stops the process at each system call of [pathCalls] until the other one has
// noted it (seccomp_unotify(2)).
func Record(end *os.File, tree string) bool {
	own, ok := abis[runtime.GOARCH]
	if !ok || len(pathCalls) == 0 {
		return false
	}
	listener, err := installListener(recordFilter(own[0].arch))
	if err != nil {
		return false
	}
	// Without a listener all recorded calls fail, so it is closed here only.
	err = unix.Sendmsg(int(end.Fd()), []byte(tree), unix.UnixRights(listener), nil, 0)
	_ = unix.Close(listener)
	_ = end.Close()
	return err == nil
}

// recordFilter stops the calls that look at paths, those of other ways to make calls, and
// those that are newer than the list of calls. A filter that forbids a call prevails.
func recordFilter(arch uint32) []unix.SockFilter {
	stop := give(unix.SECCOMP_RET_USER_NOTIF)
	calls := []unix.SockFilter{load(dataCall)}
	calls = append(calls, when(unix.BPF_JGT, newestCall, stop)...)
	numbers := make([]uint32, 0, len(pathCalls))
	for nr := range pathCalls {
		numbers = append(numbers, nr)
	}
	slices.Sort(numbers)
	for _, nr := range numbers {
		calls = append(calls, when(unix.BPF_JEQ, nr, stop)...)
	}
	prog := append([]unix.SockFilter{load(dataArch)}, when(unix.BPF_JEQ, arch, append(calls, allow)...)...)
	return append(prog, stop)
}

// installListener gives every thread of this process a filter, and returns the descriptor by
// which another process answers for the calls that it stops. A signal does not interrupt
// them, so that no program sees an EINTR that it would not see otherwise.
func installListener(prog []unix.SockFilter) (int, error) {
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_TSYNC |
		unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	fd, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return -1, fmt.Errorf("install seccomp filter: %w", errno)
	}
	return int(fd), nil
}
