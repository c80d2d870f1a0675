package treefs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Fill writes a file's content into an open one.
func Fill(out *os.File, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(out, in)
	return err
}

// CopyContent makes the file to, which must not exist, with the content of from.
func CopyContent(from, to string) error {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(Fill(out, from), out.Close())
}

// CopyMetadata gives a file or directory the owner, mode and extended attributes
// of another. In this order: a new owner takes away set-user-ID bits and
// capabilities.
func CopyMetadata(from, to string, st unix.Stat_t) error {
	if err := os.Lchown(to, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if err := unix.Chmod(to, st.Mode&0o7777); err != nil {
		return &fs.PathError{Op: "chmod", Path: to, Err: err}
	}
	attrs, err := Attributes(from)
	if err != nil {
		return err
	}
	for name, value := range attrs {
		if err := unix.Lsetxattr(to, name, value, 0); err != nil {
			return fmt.Errorf("set extended attribute %s of %s: %w", name, to, err)
		}
	}
	return nil
}

// Attributes returns a file's extended attributes but for overlayfs's own,
// which describe a layer and not the tree.
func Attributes(file string) (map[string][]byte, error) {
	list := make([]byte, 64<<10)
	n, err := unix.Llistxattr(file, list)
	if errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "listxattr", Path: file, Err: err}
	}
	attrs := map[string][]byte{}
	for _, name := range strings.Split(strings.TrimRight(string(list[:n]), "\x00"), "\x00") {
		if name == "" || strings.HasPrefix(name, "trusted.overlay.") || strings.HasPrefix(name, "user.overlay.") {
			continue
		}
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(file, name, value)
		if err != nil {
			return nil, fmt.Errorf("get extended attribute %s of %s: %w", name, file, err)
		}
		attrs[name] = value[:n]
	}
	return attrs, nil
}

// SetDirTimes gives every directory the time of the epoch.
func SetDirTimes(dir string, epoch int64) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return SetTimes(path, epoch, epoch)
	})
}

// SetTimes sets the times of a file, or of a link itself, in seconds.
func SetTimes(path string, mtime, atime int64) error {
	at := []unix.Timespec{{Sec: atime}, {Sec: mtime}}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, at, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimes", Path: path, Err: err}
	}
	return nil
}
