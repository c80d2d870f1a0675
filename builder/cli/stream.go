package cli

import (
	"io"
	"os"
	"sync/atomic"

	"github.com/treewright/treewright/builder/event"
)

// stream is a file that people and programs read: passwords in URLs are masked
// in what is written to it. Each write is looked at by itself, so a text is
// written at once.
type stream struct {
	*os.File
	// lost is the first error of a write, whether or not the writer looked at it.
	lost *atomic.Pointer[error]
}

func streamOn(f *os.File) stream { return stream{f, new(atomic.Pointer[error])} }

// Write implements [io.Writer].
func (s stream) Write(p []byte) (int, error) {
	if _, err := s.File.WriteString(event.Mask(string(p))); err != nil {
		s.lost.CompareAndSwap(nil, &err)
		return 0, err
	}
	return len(p), nil
}

// fault is the error of the first write that failed, such as on a full disk.
func (s stream) fault() error {
	if err := s.lost.Load(); err != nil {
		return *err
	}
	return nil
}

// WriteString and ReadFrom hide the file's own, which go past Write.
func (s stream) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

// ReadFrom implements [io.ReaderFrom].
func (s stream) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{s}, r)
}
