package treefs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Attribute reads an extended attribute, nil if there is none.
func Attribute(path, name string) ([]byte, error) {
	value, err := readAttribute(func(b []byte) (int, error) { return unix.Lgetxattr(path, name, b) })
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "getxattr " + name, Path: path, Err: err}
	}
	return []byte(value), nil
}

// Attributes returns a file's extended attributes by name, except for those that
// without is true of. A file system that has no attributes is not an error.
func Attributes(file string, without func(name string) bool) (map[string]string, error) {
	names, err := readAttribute(func(b []byte) (int, error) { return unix.Llistxattr(file, b) })
	if errors.Is(err, unix.ENOTSUP) || err == nil && names == "" {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "listxattr", Path: file, Err: err}
	}
	attrs := map[string]string{}
	for name := range strings.SplitSeq(strings.TrimRight(names, "\x00"), "\x00") {
		if name == "" || without(name) {
			continue
		}
		value, err := readAttribute(func(b []byte) (int, error) { return unix.Lgetxattr(file, name, b) })
		if err != nil {
			return nil, fmt.Errorf("get extended attribute %s of %s: %w", name, file, err)
		}
		attrs[name] = value
	}
	return attrs, nil
}

// readAttribute calls read with a buffer that is large enough: XATTR_SIZE_MAX of
// linux/limits.h bounds values and lists of names alike.
func readAttribute(read func([]byte) (int, error)) (string, error) {
	b := make([]byte, 256)
	n, err := read(b)
	if errors.Is(err, unix.ERANGE) {
		b = make([]byte, 64<<10)
		n, err = read(b)
	}
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// OfOverlay reports that an extended attribute is one by which overlayfs describes a
// layer. In a tree it means nothing.
func OfOverlay(name string) bool {
	return strings.HasPrefix(name, "trusted.overlay.") || strings.HasPrefix(name, "user.overlay.")
}

// SetMetadata gives a file, or a link itself, an owner, a mode (as stat(2) has it,
// with the file's type) and extended attributes. In this order: a new owner takes
// away set-user-ID bits and capabilities.
func SetMetadata(path string, uid, gid int, mode uint32, attrs map[string]string) error {
	if err := os.Lchown(path, uid, gid); err != nil {
		return err
	}
	if mode&unix.S_IFMT != unix.S_IFLNK {
		if err := unix.Chmod(path, mode&0o7777); err != nil {
			return &fs.PathError{Op: "chmod", Path: path, Err: err}
		}
	}
	for name, value := range attrs {
		if err := unix.Lsetxattr(path, name, []byte(value), 0); err != nil {
			return fmt.Errorf("set extended attribute %s of %s: %w", name, path, err)
		}
	}
	return nil
}

// FileID is what all names of a file have in common.
type FileID struct{ dev, ino uint64 }

// IDOf returns a file's identity.
func IDOf(st unix.Stat_t) FileID { return FileID{st.Dev, st.Ino} }

// Permissions returns the twelve permission bits as chmod writes them.
func Permissions(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}
