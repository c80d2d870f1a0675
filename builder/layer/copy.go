package layer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Copy makes the file to, which must not exist, a copy of the regular file
// from, with its mode and its times. The two share their space on the disk where
// the file system can do that (ioctl_ficlone(2)); elsewhere holes stay holes.
// Either may be changed without the other, which is not so with hard links.
func Copy(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "copy", Path: from, Err: errors.New("is not a regular file")}
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			os.Remove(to)
		}
	}()
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) != nil {
		if err := copyExtents(in, out, info.Size()); err != nil {
			return fmt.Errorf("copy %s to %s: %w", from, to, err)
		}
	}
	if err := out.Chmod(info.Mode()); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// writeEarly is how many bytes the disk begins to write at once, so that less is to be waited for later.
const writeEarly = 1 << 20

// copyExtents copies what in has besides holes (lseek(2), SEEK_DATA).
func copyExtents(in, out *os.File, size int64) error {
	for at := int64(0); at < size; {
		start, err := unix.Seek(int(in.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // only a hole is left
		}
		if err != nil {
			return err
		}
		end, err := unix.Seek(int(in.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if _, err := in.Seek(start, io.SeekStart); err != nil {
			return err
		}
		if _, err := out.Seek(start, io.SeekStart); err != nil {
			return err
		}
		n, err := io.CopyN(out, in, end-start) // copy_file_range(2)
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", start+n, err)
		}
		if n >= writeEarly {
			// Where that cannot be, the disk begins when it is waited for.
			_ = unix.SyncFileRange(int(out.Fd()), start, n, unix.SYNC_FILE_RANGE_WRITE)
		}
		at = end
	}
	return out.Truncate(size)
}
