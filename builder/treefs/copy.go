package treefs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

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
// of another, except for those of a layer.
func CopyMetadata(from, to string, st unix.Stat_t) error {
	attrs, err := Attributes(from, OfOverlay)
	if err != nil {
		return err
	}
	return SetMetadata(to, int(st.Uid), int(st.Gid), st.Mode, attrs)
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
