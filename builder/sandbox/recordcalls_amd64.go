package sandbox

import (
	"maps"

	"golang.org/x/sys/unix"
)

// archCalls adds the calls that newer architectures do not have any more.
func archCalls(calls map[uint32][]operand) map[uint32][]operand {
	maps.Copy(calls, map[uint32][]operand{
		unix.SYS_OPEN:      {{none, 0, true}},
		unix.SYS_CREAT:     {{none, 0, true}},
		unix.SYS_CHMOD:     {{none, 0, true}},
		unix.SYS_CHOWN:     {{none, 0, true}},
		unix.SYS_LCHOWN:    {{none, 0, true}},
		unix.SYS_UTIME:     {{none, 0, true}},
		unix.SYS_UTIMES:    {{none, 0, true}},
		unix.SYS_FUTIMESAT: {{0, 1, true}},
		unix.SYS_LINK:      {{none, 0, true}, {none, 1, true}},
		unix.SYS_RENAME:    {{none, 0, true}, {none, 1, true}},
		unix.SYS_RMDIR:     {{none, 0, true}},
		unix.SYS_UNLINK:    {{none, 0, true}},
		unix.SYS_USELIB:    {{none, 0, true}},

		unix.SYS_NEWFSTATAT: {{0, 1, false}},
		unix.SYS_STAT:       {{none, 0, false}},
		unix.SYS_LSTAT:      {{none, 0, false}},
		unix.SYS_ACCESS:     {{none, 0, false}},
		unix.SYS_READLINK:   {{none, 0, false}},
		unix.SYS_MKDIR:      {{none, 0, false}},
		unix.SYS_MKNOD:      {{none, 0, false}},
		unix.SYS_SYMLINK:    {{none, 1, false}},
	})
	return calls
}

func archTurning(calls []uint32) []uint32 {
	return append(calls, unix.SYS_SYMLINK, unix.SYS_RENAME, unix.SYS_LINK)
}
