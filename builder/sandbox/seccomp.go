package sandbox

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// suppressed are the calls that wait for a disk. dpkg makes thousands of them,
// and a layer that a power cut tears is made again anyway.
var suppressed = []uint32{unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNC, unix.SYS_SYNCFS, unix.SYS_SYNC_FILE_RANGE, unix.SYS_MSYNC}

// abi are the system calls of one way to make them that a filter looks at.
type abi struct {
	arch uint32 // an AUDIT_ARCH_ value of linux/audit.h
	// absent calls fail as if the kernel did not have them: those that reach
	// keyrings, which namespaces do not part, and those that only make the kernel
	// easier to attack. clone3 is among them because no filter can see its flags;
	// C libraries then use clone.
	absent []uint32
	// clone and unshare may make no user namespace, in which a program would have
	// all capabilities again. socket opens no line to the host's audit log, and
	// ioctl types nothing into a terminal. 0: no such call.
	clone, unshare, socket, ioctl uint32
}

// abis are those of programs on this architecture, its own first. Numbers are
// from the kernel's tables.
var abis = map[string][]abi{
	"amd64": {
		{arch: 0xc000003e, absent: []uint32{248, 249, 250, 321, 298, 323, 425, 435, 304}, clone: 56, unshare: 272, socket: 41, ioctl: 16},
		{arch: 0x40000003, absent: []uint32{286, 287, 288, 357, 336, 374, 425, 435, 342}, clone: 120, unshare: 310, socket: 359, ioctl: 54},
	},
	"arm64": {
		{arch: 0xc00000b7, absent: []uint32{217, 218, 219, 280, 241, 282, 425, 435, 265}, clone: 220, unshare: 97, socket: 198, ioctl: 29},
		{arch: 0x40000028, absent: []uint32{309, 310, 311, 386, 364, 388, 425, 435, 371}, clone: 120, unshare: 337, socket: 281, ioctl: 54},
	},
}

// Offsets in struct seccomp_data of linux/seccomp.h; of arguments the lower half.
const (
	dataCall = 0
	dataArch = 4
	dataArg0 = 16
	dataArg1 = 24
	dataArg2 = 32
)

// x32Call is the bit that marks calls of amd64's x32 ABI.
const x32Call = 0x40000000

// Terminal requests of asm-generic/ioctls.h: put a character into the input;
// linux/tty.h's for virtual consoles, which can do so too.
const (
	tiocsti   = 0x5412
	tioclinux = 0x541c
)

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func give(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}

func fail(errno unix.Errno) unix.SockFilter { return give(unix.SECCOMP_RET_ERRNO | uint32(errno)) }

var allow = give(unix.SECCOMP_RET_ALLOW)

// when runs then, which ends in an answer, if what was loaded is k, or for the
// test BPF_JSET has bits of k.
func when(test uint16, k uint32, then ...unix.SockFilter) []unix.SockFilter {
	return append([]unix.SockFilter{{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jf: uint8(len(then))}}, then...)
}

// SuppressSync makes fsync(2) and its relatives succeed at once, for this
// process and all it starts from now on, by a seccomp filter (seccomp(2)).
// Calls made by the ABI of another architecture are left alone.
func SuppressSync() error {
	own, ok := abis[runtime.GOARCH]
	if !ok {
		return nil
	}
	calls := []unix.SockFilter{load(dataCall)}
	for _, nr := range suppressed {
		calls = append(calls, when(unix.BPF_JEQ, nr, give(unix.SECCOMP_RET_ERRNO))...)
	}
	prog := append([]unix.SockFilter{load(dataArch)}, when(unix.BPF_JEQ, own[0].arch, append(calls, allow)...)...)
	return installFilter(append(prog, allow), unix.SECCOMP_FILTER_FLAG_TSYNC)
}

// forbidCalls takes calls from the calling thread and what it starts: see [abi].
// On an architecture without a table nothing is forbidden.
func forbidCalls() error {
	prog := []unix.SockFilter{load(dataArch)}
	for _, a := range abis[runtime.GOARCH] {
		prog = append(prog, when(unix.BPF_JEQ, a.arch, a.forbid()...)...)
	}
	return installFilter(append(prog, allow), 0)
}

func (a abi) forbid() []unix.SockFilter {
	prog := []unix.SockFilter{load(dataCall)}
	if a.arch == abis["amd64"][0].arch {
		prog = append(prog, when(unix.BPF_JSET, x32Call, fail(unix.ENOSYS))...)
	}
	for _, nr := range a.absent {
		prog = append(prog, when(unix.BPF_JEQ, nr, fail(unix.ENOSYS))...)
	}
	for _, nr := range []uint32{a.clone, a.unshare} {
		inside := append([]unix.SockFilter{load(dataArg0)}, when(unix.BPF_JSET, unix.CLONE_NEWUSER, fail(unix.EPERM))...)
		prog = append(prog, when(unix.BPF_JEQ, nr, append(inside, allow)...)...)
	}
	audit := append([]unix.SockFilter{load(dataArg2)}, when(unix.BPF_JEQ, unix.NETLINK_AUDIT, fail(unix.EPROTONOSUPPORT))...)
	netlink := append([]unix.SockFilter{load(dataArg0)}, when(unix.BPF_JEQ, unix.AF_NETLINK, append(audit, allow)...)...)
	prog = append(prog, when(unix.BPF_JEQ, a.socket, append(netlink, allow)...)...)
	typing := append([]unix.SockFilter{load(dataArg1)}, when(unix.BPF_JEQ, tiocsti, fail(unix.EPERM))...)
	typing = append(typing, when(unix.BPF_JEQ, tioclinux, fail(unix.EPERM))...)
	prog = append(prog, when(unix.BPF_JEQ, a.ioctl, append(typing, allow)...)...)
	return append(prog, allow)
}

// installFilter gives the calling thread, or with all of them every thread, a
// seccomp filter.
func installFilter(prog []unix.SockFilter, flags uintptr) error {
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	_, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return fmt.Errorf("install seccomp filter: %w", errno)
	}
	return nil
}
