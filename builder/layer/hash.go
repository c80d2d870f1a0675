package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

const hashBuffer = 256 << 10

var (
	hashBuffers = sync.Pool{New: func() any { b := make([]byte, hashBuffer); return &b }}
	zeros       [hashBuffer]byte
)

// HashFile returns the SHA-256 of a regular file's content, in hexadecimal.
func HashFile(path string) (string, error) {
	h := sha256.New()
	if err := ReadInto(path, h); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// HashWritten is [HashFile] of a file that was just made, and waits until it is on the disk: the disk
// works while the processor does.
func HashWritten(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	written := make(chan error, 1)
	go func() { written <- f.Sync() }()
	sum, err := HashFile(path)
	return sum, errors.Join(err, <-written)
}

// ReadInto writes a regular file's content to all of them.
func ReadInto(path string, to ...hash.Hash) error {
	// O_NOATIME saves a write; only owners and root may ask for it.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NOATIME, 0)
	if errors.Is(err, unix.EPERM) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	// Files of a file system that compresses look like those with holes, and have none.
	if st.Blocks*512 < st.Size {
		err = readExtents(fd, st.Size, to)
	} else {
		_, err = readUntil(fd, -1, to)
	}
	if err != nil {
		return &os.PathError{Op: "read", Path: path, Err: err}
	}
	return nil
}

// readExtents does not read holes, for which the kernel would fill its cache with zeros (lseek(2),
// SEEK_DATA): most of a disk image is one.
func readExtents(fd int, size int64, to []hash.Hash) error {
	for at := int64(0); at < size; {
		start, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			start, err = size, nil // only a hole is left
		}
		if err != nil {
			return err
		}
		for at < start {
			n := min(start-at, hashBuffer)
			writeAll(zeros[:n], to)
			at += n
		}
		if at == size {
			return nil
		}
		end, err := unix.Seek(fd, at, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if _, err := unix.Seek(fd, at, unix.SEEK_SET); err != nil {
			return err
		}
		n, err := readUntil(fd, end-at, to)
		if at += n; err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// readUntil reads so many bytes, or all if that is negative, and returns how many there were.
func readUntil(fd int, limit int64, to []hash.Hash) (read int64, err error) {
	buffer := hashBuffers.Get().(*[]byte)
	defer hashBuffers.Put(buffer)
	for limit < 0 || read < limit {
		part := *buffer
		if limit >= 0 {
			part = part[:min(limit-read, hashBuffer)]
		}
		n, err := unix.Read(fd, part)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return read, err
		}
		writeAll(part[:n], to)
		read += int64(n)
	}
	return read, nil
}

func writeAll(b []byte, to []hash.Hash) {
	for _, h := range to {
		h.Write(b)
	}
}
