//go:build amd64 || arm64

package sandbox

import "golang.org/x/sys/unix"

// pathCalls are the system calls that look at paths, by number. Calls that change a
// file count as reading it: the layer then holds the content that it had.
var pathCalls = archCalls(map[uint32][]operand{
	unix.SYS_OPENAT:  {{0, 1, true}},
	unix.SYS_OPENAT2: {{0, 1, true}},

	unix.SYS_EXECVE:            {{none, 0, true}},
	unix.SYS_EXECVEAT:          {{0, 1, true}},
	unix.SYS_TRUNCATE:          {{none, 0, true}},
	unix.SYS_FCHMODAT:          {{0, 1, true}},
	unix.SYS_FCHMODAT2:         {{0, 1, true}},
	unix.SYS_FCHOWNAT:          {{0, 1, true}},
	unix.SYS_UTIMENSAT:         {{0, 1, true}},
	unix.SYS_SETXATTR:          {{none, 0, true}},
	unix.SYS_LSETXATTR:         {{none, 0, true}},
	unix.SYS_REMOVEXATTR:       {{none, 0, true}},
	unix.SYS_LREMOVEXATTR:      {{none, 0, true}},
	unix.SYS_LINKAT:            {{0, 1, true}, {2, 3, true}},
	unix.SYS_RENAMEAT2:         {{0, 1, true}, {2, 3, true}},
	unix.SYS_RENAMEAT:          {{0, 1, true}, {2, 3, true}},
	unix.SYS_OPEN_TREE:         {{0, 1, true}},
	unix.SYS_MOUNT:             {{none, 0, true}, {none, 1, true}},
	unix.SYS_NAME_TO_HANDLE_AT: {{0, 1, true}},
	unix.SYS_ACCT:              {{none, 0, true}},
	unix.SYS_SWAPON:            {{none, 0, true}},

	unix.SYS_UNLINKAT:          {{0, 1, true}}, // a directory: whether it is empty
	unix.SYS_STATX:             {{0, 1, false}},
	unix.SYS_FACCESSAT:         {{0, 1, false}},
	unix.SYS_FACCESSAT2:        {{0, 1, false}},
	unix.SYS_READLINKAT:        {{0, 1, false}},
	unix.SYS_STATFS:            {{none, 0, false}},
	unix.SYS_GETXATTR:          {{none, 0, false}},
	unix.SYS_LGETXATTR:         {{none, 0, false}},
	unix.SYS_LISTXATTR:         {{none, 0, false}},
	unix.SYS_LLISTXATTR:        {{none, 0, false}},
	unix.SYS_CHDIR:             {{none, 0, false}},
	unix.SYS_CHROOT:            {{none, 0, false}},
	unix.SYS_PIVOT_ROOT:        {{none, 0, false}, {none, 1, false}},
	unix.SYS_UMOUNT2:           {{none, 0, false}},
	unix.SYS_MKDIRAT:           {{0, 1, false}},
	unix.SYS_MKNODAT:           {{0, 1, false}},
	unix.SYS_SYMLINKAT:         {{1, 2, false}},
	unix.SYS_MOVE_MOUNT:        {{0, 1, false}, {2, 3, false}},
	unix.SYS_FSPICK:            {{0, 1, false}},
	unix.SYS_MOUNT_SETATTR:     {{0, 1, false}},
	unix.SYS_INOTIFY_ADD_WATCH: {{none, 1, true}},
	unix.SYS_FANOTIFY_MARK:     {{3, 4, true}},

	// Linux 6.13 to 6.17: setxattrat, getxattrat, listxattrat, removexattrat, open_tree_attr,
	// file_getattr, file_setattr. Their numbers are the same everywhere.
	463: {{0, 1, true}}, 464: {{0, 1, false}}, 465: {{0, 1, false}}, 466: {{0, 1, true}},
	467: {{0, 1, true}}, 468: {{0, 1, false}}, 469: {{0, 1, true}},
})

// newestCall is the highest number of a system call that this list was made with. What
// newer ones look at is not known.
const newestCall = 470

// turning are calls after which a path may lead elsewhere than before.
var turning = archTurning([]uint32{unix.SYS_SYMLINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT, unix.SYS_MOUNT, unix.SYS_MOVE_MOUNT, unix.SYS_PIVOT_ROOT, unix.SYS_UMOUNT2})
