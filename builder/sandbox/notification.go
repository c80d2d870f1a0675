package sandbox

// notification is struct seccomp_notif of linux/seccomp.h, and answer seccomp_notif_resp.
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	call  uint32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type answer struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

// notifSetFlags is SECCOMP_IOCTL_NOTIF_SET_FLAGS.
const notifSetFlags = 0x40082104
