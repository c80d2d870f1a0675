package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// ChangeOf reports what a layer does to the file at a path within the layer's
// directory: "removes", "directory", "link", "device", "file", or "" if it does not touch it.
// A removal is a character device 0:0 (see overlayfs in the kernel's
// documentation).
func ChangeOf(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return ""
	}
	return kindOf(info)
}

// hostAttributes are what overlayfs notes in an upper directory for its own
// use: inode numbers and identities of this disk, which differ from run to run
// and mean nothing elsewhere. What it notes of the change itself,
// trusted.overlay.opaque, is not among them.
var hostAttributes = []string{"trusted.overlay.origin", "trusted.overlay.impure", "trusted.overlay.uuid"}

func ofHost(attribute string) bool { return slices.Contains(hostAttributes, attribute) }

// ForgetHost removes from one file of a layer what ties it to this disk. The
// layer must not be mounted.
func ForgetHost(path string) error {
	names := make([]byte, 1024)
	n, err := unix.Llistxattr(path, names)
	if errors.Is(err, unix.ERANGE) {
		names = make([]byte, 64<<10)
		n, err = unix.Llistxattr(path, names)
	}
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "llistxattr", Path: path, Err: err}
	}
	list := "\x00" + string(names[:n])
	for _, name := range hostAttributes {
		if !strings.Contains(list, "\x00"+name+"\x00") {
			continue
		}
		if err := unix.Lremovexattr(path, name); err != nil {
			return fmt.Errorf("remove %s: %w", name, &fs.PathError{Op: "lremovexattr", Path: path, Err: err})
		}
	}
	return nil
}
