package treefs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// KindError reports that something is neither a regular file nor a directory, or
// is on a file system that the kernel makes up.
type KindError struct{ Kind string }

func (e *KindError) Error() string {
	return fmt.Sprintf("it is %s, not a regular file: put a file in its place, or remove it", e.Kind)
}

// SizeError reports that a file is larger than what is read of one.
type SizeError struct{ Most int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("it is larger than %s, the most that such a file may have", size(e.Most))
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// ReadFile reads a regular file of at most so many bytes. Links are followed,
// but not to devices, FIFOs, sockets, or what the kernel makes up.
func ReadFile(path string, most int64) ([]byte, error) {
	f, err := open(path, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path, most)
}

// Check explains why [ReadFile] would not open a file, without opening it; nil if it
// would.
func Check(path string, most int64) error {
	fd, st, err := look(path, path)
	if err != nil {
		return err
	}
	unix.Close(fd)
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return &fs.PathError{Op: "read", Path: path, Err: &KindError{"a directory"}}
	case st.Size > most:
		return &fs.PathError{Op: "read", Path: path, Err: &SizeError{most}}
	}
	return nil
}

func readAll(f *os.File, name string, most int64) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: name, Err: err} }
	info, err := f.Stat()
	switch {
	case err != nil:
		return fail(err)
	case info.IsDir():
		return fail(&KindError{"a directory"})
	case info.Size() > most:
		return fail(&SizeError{most})
	}
	text := make([]byte, 0, info.Size()+1)
	for {
		n, err := f.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		switch {
		case int64(len(text)) > most:
			return fail(&SizeError{most})
		case errors.Is(err, io.EOF):
			return text, nil
		case err != nil:
			return fail(errors.Unwrap(err))
		}
		if len(text) == cap(text) {
			text = slices.Grow(text, 4096)
		}
	}
}

// MostKeyring is how large a keyring may be, in bytes; Debian's has 60,000.
const MostKeyring = 16 << 20

// open opens a regular file or a directory for reading. Errors call it name.
func open(path, name string) (*os.File, error) {
	fd, _, err := look(path, name)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	// By its descriptor, so that it is what has been looked at. Without blocking,
	// as somebody may hold a lease on it.
	again, err := retry(func() (int, error) {
		return unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(again), path), nil
}

// look finds what is under a name, in a way that opens no device and waits for
// no FIFO. The descriptor is good for nothing but finding the thing again.
func look(path, name string) (int, *unix.Stat_t, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0) })
	if err != nil {
		return 0, nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	var st unix.Stat_t
	var on unix.Statfs_t
	if err = unix.Fstat(fd, &st); err == nil {
		err = unix.Fstatfs(fd, &on)
	}
	if err == nil {
		if kind := special(st.Mode); kind != "" {
			err = &KindError{kind}
		} else if slices.Contains(madeUp, int64(on.Type)) {
			err = &KindError{"part of a virtual file system of the kernel, such as /proc"}
		}
	}
	if err != nil {
		unix.Close(fd)
		return 0, nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, &st, nil
}

func retry(do func() (int, error)) (int, error) {
	for {
		fd, err := do()
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// special names what is neither a regular file nor a directory.
func special(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR:
		return ""
	case unix.S_IFIFO:
		return "a FIFO"
	case unix.S_IFSOCK:
		return "a socket"
	case unix.S_IFCHR, unix.S_IFBLK:
		return "a device"
	}
	return "neither a file nor a directory"
}

// madeUp are the file systems whose files are not on a disk: reading one can wait, never
// end, or do something.
var madeUp = []int64{
	unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC, unix.SELINUX_MAGIC, unix.SMACK_MAGIC,
	unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.BPF_FS_MAGIC, unix.EFIVARFS_MAGIC, unix.PSTOREFS_MAGIC, unix.DEVPTS_SUPER_MAGIC,
	unix.BINFMTFS_MAGIC, unix.NSFS_MAGIC, unix.SOCKFS_MAGIC, configfs, fusectl,
}

const (
	configfs = 0x62656570
	fusectl  = 0x65735543
)
