package cli

import (
	"io"
	"os"

	"github.com/treewright/treewright/builder/event"
)

// stream is a file that people and programs read: passwords in URLs are masked
// in what is written to it. Each write is looked at by itself, so a text is
// written at once.
type stream struct{ *os.File }

// Write implements [io.Writer].
func (s stream) Write(p []byte) (int, error) {
	if _, err := s.File.WriteString(event.Mask(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteString and ReadFrom hide the file's own, which go past Write.
func (s stream) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

// ReadFrom implements [io.ReaderFrom].
func (s stream) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{s}, r)
}
