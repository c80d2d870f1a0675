package layer

import (
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// opened is a directory, or a file alone. Many files below it are looked at by its descriptor, so that the
// kernel does not follow the long path of a result in the cache for each of them.
type opened struct {
	dir string
	fd  int
	err error // of opening it
}

func openDir(dir string) *opened {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	return &opened{dir, fd, err}
}

func (o *opened) close() {
	if o.err == nil {
		unix.Close(o.fd)
	}
}

// lstat is lstat(2) of a path below the directory, or of "." itself.
func (o *opened) lstat(path string, st *unix.Stat_t) error {
	err := o.err
	switch {
	case err != nil:
	case path == ".":
		err = unix.Fstat(o.fd, st)
	default:
		err = unix.Fstatat(o.fd, path, st, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err != nil {
		return &fs.PathError{Op: "lstat", Path: filepath.Join(o.dir, path), Err: err}
	}
	return nil
}
