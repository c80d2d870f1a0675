package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Of /proc these are nobody's processes: what can be set is read-only, and what
// tells of the host's kernel and devices is hidden.
var (
	procReadOnly = []string{"asound", "bus", "driver", "fs", "irq", "mtrr", "sys", "sysrq-trigger", "tty"}
	procHidden   = []string{
		"acpi", "buddyinfo", "cgroups", "cmdline", "config.gz", "diskstats", "dma", "fb", "interrupts", "iomem", "ioports", "kallsyms", "kcore", "key-users",
		"keys", "kmsg", "kpagecgroup", "kpagecount", "kpageflags", "latency_stats", "locks", "modules", "partitions", "pagetypeinfo", "pressure",
		"sched_debug", "schedstat", "scsi", "slabinfo", "softirqs", "swaps", "timer_list", "timer_stats", "vmallocinfo", "zoneinfo",
	}
)

// mountProc mounts a /proc of this PID namespace on a directory of the new root.
func mountProc(dir string) error {
	if !isDir(dir) {
		return nil // a tree without one
	}
	// Below it, out of reach, is the empty file that hides others.
	if err := MountTmpfs(dir, "0755"); err != nil {
		return err
	}
	empty, err := os.OpenFile(filepath.Join(dir, "empty"), os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	defer empty.Close()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, ""); err != nil {
		return fmt.Errorf("mount %s: %w", dir, err)
	}
	if err := unix.Mount("proc", dir, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount %s: %w", dir, err)
	}
	nothing := fmt.Sprintf("%s/self/fd/%d", dir, empty.Fd())
	for _, name := range procReadOnly {
		if err := readOnly(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range procHidden {
		if err := hide(filepath.Join(dir, name), nothing); err != nil {
			return err
		}
	}
	return nil
}

// readOnly makes what is at a path, if it is there, read-only.
func readOnly(path string) error {
	if err := unix.Mount(path, path, "", unix.MS_BIND|unix.MS_REC, ""); errors.Is(err, unix.ENOENT) {
		return nil
	} else if err != nil {
		return fmt.Errorf("make %s read-only: %w", path, err)
	}
	attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(-1, path, unix.AT_RECURSIVE, attr); err != nil {
		return fmt.Errorf("make %s read-only: %w", path, err)
	}
	return nil
}

// hide covers what is at a path, if it is there, by nothing, an empty file, or
// by an empty directory.
func hide(path, nothing string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	switch {
	case err != nil:
	case info.IsDir():
		err = unix.Mount("tmpfs", path, "tmpfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0555")
	default:
		err = unix.Mount(nothing, path, "", unix.MS_BIND, "")
	}
	if err != nil {
		return fmt.Errorf("hide %s: %w", path, err)
	}
	return nil
}
