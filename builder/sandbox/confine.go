package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// stepPowers are the capabilities that programs of a step keep: what installing
// packages takes, each with the reason. None of them reaches beyond the root
// that a program is given, as nothing else is mounted where it can see it, and
// no device node works that is not in its /dev.
var stepPowers = []uintptr{
	unix.CAP_CHOWN,        // dpkg gives files their owners
	unix.CAP_DAC_OVERRIDE, // root writes everywhere: /var/mail, 0555 directories
	unix.CAP_FOWNER,       // chmod and times of files of other accounts
	unix.CAP_FSETID,       // set-group-ID bits outlive chown and chmod
	unix.CAP_KILL,         // scripts end what they started as another account
	unix.CAP_SETGID,       // su, runuser, setpriv
	unix.CAP_SETUID,       // the same
	unix.CAP_SETFCAP,      // setcap(8): ping
	unix.CAP_SYS_CHROOT,   // chroot(8) in exec.post, dpkg --root
	unix.CAP_MKNOD,        // packages make nodes; every mount but /dev is nodev
}

// viewPowers are those of a program that only looks: a tree may belong to
// somebody else.
var viewPowers = []uintptr{unix.CAP_DAC_OVERRIDE}

// installPowers are those of mmdebstrap, that is of its chroot(8), which mounts,
// and then drops what a step's programs do not have.
var installPowers = append([]uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SETPCAP}, stepPowers...)

// confine takes from the calling thread, which must be locked, what the program
// that it starts next is not to have: the caller's keyrings, system calls, and
// all capabilities but powers.
func confine(powers []uintptr) error {
	// A new session keyring: the caller's, with what is in it, is out of reach.
	if _, _, errno := unix.RawSyscall(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0); errno != 0 && errno != unix.ENOSYS && errno != unix.EPERM {
		return fmt.Errorf("leave the caller's keyring: %w", errno)
	}
	if err := prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	var keep uint64
	for _, p := range powers {
		keep |= 1 << p
	}
	for c := uintptr(0); ; c++ {
		if keep&(1<<c) != 0 {
			continue
		}
		err := prctl(unix.PR_CAPBSET_DROP, c)
		if errors.Is(err, unix.EINVAL) {
			break // the kernel knows no more
		}
		if err != nil {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	// It takes a capability that goes next.
	if err := forbidCalls(); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	for i := range data {
		part := uint32(keep>>(32*i)) & data[i].Permitted
		data[i] = unix.CapUserData{Effective: part, Permitted: part}
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}

func prctl(option, arg uintptr) error {
	if _, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, option, arg, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// hideProcess keeps every program without CAP_SYS_PTRACE from looking into this
// process: its memory, its descriptors, its program file (/proc/PID/exe leads to
// the host's).
func hideProcess() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide the process: %w", err)
	}
	return nil
}
