package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// looks looks at the tree in each way in which a step can, and keeps what it reads.
func looks() error {
	var seen []byte
	read := func(path string) error {
		text, err := os.ReadFile(path)
		seen = append(seen, text...)
		return err
	}
	err := errors.Join(read("/etc/opened"), read("/way/file"), read("/proc/self/root/etc/byproc"),
		os.Symlink("/etc/bytmp", "/tmp/link"), read("/tmp/link"))
	_, statErr := os.Stat("/etc/statted")
	_, _ = os.Stat("/proc/1/root") // systemd's programs ask so whether they are in a chroot; it may be forbidden
	_, xattrErr := syscall.Getxattr("/etc/attributes", "user.x", make([]byte, 10))
	err = errors.Join(err, statErr, xattrErr)
	for _, path := range []string{"/etc/absent", "/none/below"} {
		if err := read(path); err == nil {
			seen = append(seen, path...)
		}
	}
	entries, listErr := os.ReadDir("/listed")
	for _, e := range entries {
		seen = append(seen, e.Name()...)
	}
	dir, dirErr := syscall.Open("/", syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	relative, relativeErr := syscall.Openat(dir, "etc/relative", syscall.O_RDONLY, 0)
	buffer := make([]byte, 100)
	n, readErr := syscall.Read(relative, buffer)
	seen = append(seen, buffer[:max(n, 0)]...)
	err = errors.Join(err, listErr, dirErr, relativeErr, readErr)

	os.Setenv("PATH", "/first/bin:/second/bin")
	os.Setenv("DO", "print")
	for _, name := range []string{"tool", "script"} {
		out, runErr := exec.Command(name).CombinedOutput()
		seen, err = append(seen, out...), errors.Join(err, runErr)
	}
	inside := exec.Command("/tool")
	inside.SysProcAttr = &syscall.SysProcAttr{Chroot: "/second/root"}
	out, runErr := inside.CombinedOutput()
	seen = append(seen, out...)
	// Neither is opened, and both are in the layer.
	return errors.Join(err, runErr, os.Chmod("/touched/file", 0o600), os.Link("/linked/file", "/linked/second"),
		os.WriteFile("/own/dir/seen", []byte(fmt.Sprintf("%s", seen)), 0o644))
}
