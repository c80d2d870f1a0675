package sandbox

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// mask is the umask of all that is made: files and directories that a build
// hands out are for everybody to read.
const mask = 0o022

// SetMask gives this process, and what it starts, a umask that does not depend
// on the caller's. The program does so before it makes anything.
func SetMask() { unix.Umask(mask) }

// limits are the resource limits that steps run under, soft and hard.
var limits = map[int]unix.Rlimit{
	unix.RLIMIT_AS:         {Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY},
	unix.RLIMIT_CORE:       {Cur: 0, Max: 0},
	unix.RLIMIT_CPU:        {Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY},
	unix.RLIMIT_DATA:       {Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY},
	unix.RLIMIT_FSIZE:      {Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY},
	unix.RLIMIT_NOFILE:     {Cur: 1024, Max: 1 << 19},
	unix.RLIMIT_NPROC:      {Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY},
	unix.RLIMIT_STACK:      {Cur: 8 << 20, Max: unix.RLIM_INFINITY},
	unix.RLIMIT_SIGPENDING: {Cur: 1 << 16, Max: 1 << 16},
}

// forgetCaller takes from this process what it has of its caller and
// hands on to programs: umask, groups, resource limits, and the personality
// (setarch(8)), by which a machine says to be another. The environment is
// [Command]'s to choose.
func forgetCaller() error {
	SetMask()
	// What is made belongs to the group of who makes it.
	if err := syscall.Setgroups([]int{0}); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	if err := syscall.Setregid(0, 0); err != nil {
		return fmt.Errorf("set group: %w", err)
	}
	if err := setLimits(); err != nil {
		return err
	}
	// Containers may forbid the call: then it is what the container says. With
	// cgo, as in tests, Go cannot make it.
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_PERSONALITY, 0, 0, 0); errno != 0 && errno != unix.EPERM && errno != unix.ENOSYS && errno != unix.ENOTSUP {
		return fmt.Errorf("set personality: %w", errno)
	}
	return nil
}

// forgetUser is [forgetCaller] for programs of a [View], which may have no root
// to change groups with.
func forgetUser() error {
	SetMask()
	if err := syscall.Setgroups(nil); err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("set groups: %w", err)
	}
	return setLimits()
}

func setLimits() error {
	for resource, limit := range limits {
		// By the call that Go's runtime watches: it would put the caller's limit of
		// open files back in children otherwise.
		l := syscall.Rlimit{Cur: limit.Cur, Max: limit.Max}
		err := syscall.Setrlimit(resource, &l)
		if errors.Is(err, unix.EPERM) {
			// Containers keep what is above: as near to it as can be.
			var has syscall.Rlimit
			if err = syscall.Getrlimit(resource, &has); err == nil {
				l = syscall.Rlimit{Cur: min(l.Cur, has.Max), Max: has.Max}
				err = syscall.Setrlimit(resource, &l)
			}
		}
		if err != nil {
			return fmt.Errorf("set limit %d: %w", resource, err)
		}
	}
	return nil
}
