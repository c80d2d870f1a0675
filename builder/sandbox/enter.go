package sandbox

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// Enter is the first thing a [Child] does: it keeps its descriptors from what it
// starts, cuts the mount namespace off from
// the host's, gives the host name a fixed value, takes what is left of the
// caller, and brings up the loopback device of a network namespace of its own.
// With reach it sees nothing else of the host from then on: a link in a tree
// that leads elsewhere leads to nothing for this process too.
func Enter(network bool, reach *View) error {
	if err := closeOnExec(); err != nil {
		return err
	}
	if err := privateMounts(); err != nil {
		return err
	}
	takeClock()
	if reach != nil {
		if clock != "" {
			reach.Shown = append(reach.Shown, clock)
		}
		if err := reach.enter(); err != nil {
			return err
		}
	}
	if err := ownProcAndName("treewright"); err != nil {
		return err
	}
	if err := forgetCaller(); err != nil {
		return err
	}
	if network {
		return nil
	}
	return loopbackUp()
}

// privateMounts keeps this process's mounts from the host.
func privateMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	return nil
}

// ownProcAndName mounts the /proc of this PID namespace, and sets the host name.
func ownProcAndName(host string) error {
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Sethostname([]byte(host)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	return nil
}

// closeOnExec lets no program have descriptors of this process but the standard
// ones: neither the pipes to its parent, by which it says how a step ended, nor
// what the caller of ./build left open.
func closeOnExec() error {
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("keep descriptors from programs: %w", err)
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("bring up loopback: %w", err)
	}
	return nil
}
