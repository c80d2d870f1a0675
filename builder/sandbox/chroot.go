package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// chrootName is the program that this one is in a [View] that installs.
const chrootName = "chroot"

// replaceChroot puts this program in the place of each chroot(8) below root. It
// is copied, as its file is mounted where the host is.
func replaceChroot(root string) error {
	const own = "/run/" + firstName
	if err := copyProgram(root + own); err != nil {
		return err
	}
	defer os.Remove(root + own)
	replaced := false
	for _, dir := range strings.Split(defaultPath, ":") {
		path := filepath.Join(root, dir, chrootName)
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := unix.Mount(root+own, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		replaced = true
	}
	if !replaced {
		return fmt.Errorf("%w in %s", ErrNotFound, defaultPath)
	}
	return nil
}

func copyProgram(to string) error {
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o555)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

// changeRootAndRun is chroot(8), in a [View], with two differences: the program
// has no more than a step's programs have, while who calls may mount; and for
// it alone there are /dev and /proc, as a step's programs have them.
func changeRootAndRun(args []string) {
	err := changeRootAndExec(args)
	fmt.Fprintf(os.Stderr, "chroot: %v\n", err)
	// The caller takes this, as it takes chroot's 125, for a failure.
	_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
	select {}
}

// changeRootAndExec returns only if it fails.
func changeRootAndExec(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("expected ROOT PROGRAM ARGUMENT..., not %q", args)
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if dev := filepath.Join(args[0], "dev"); isDir(dev) {
		if err := prepareDev(dev); err != nil {
			return err
		}
	}
	if err := unix.Chroot(args[0]); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	if err := mountProc("/proc"); err != nil {
		return err
	}
	path := args[1]
	if filepath.Base(path) == path {
		search := os.Getenv("PATH")
		if search == "" {
			search = defaultPath
		}
		var err error
		if path, err = lookIn(path, search); err != nil {
			return err
		}
	}
	// The runtime starts packages on the main thread, which is this one.
	if err := confine(stepPowers); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", path, syscall.Exec(path, args[1:], os.Environ()))
}

// firstName is the name under which this program is the first process of a
// sandbox.
const firstName = "treewright-sandbox"
