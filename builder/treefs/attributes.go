package treefs

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Attribute reads an extended attribute, nil if there is none.
func Attribute(path, name string) ([]byte, error) {
	buf := make([]byte, 64<<10) // the most that Linux has
	n, err := unix.Lgetxattr(path, name, buf)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "getxattr " + name, Path: path, Err: err}
	}
	return buf[:n], nil
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
