package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Checked reads content whose size and SHA-256 are promised. The last bytes are returned when all have been
// compared, so a reader of all bytes gets an error for wrong content, even if it does not wait for the end.
type Checked struct {
	from io.Reader
	what string
	left int64
	sum  string
	hash hash.Hash
	err  error
}

// Check returns a reader of content with a size and a SHA-256 (in hexadecimal digits). Errors call the content what. The
// error for other content wraps [ErrWrong]. Errors of from are returned unchanged.
func Check(from io.Reader, what string, size int64, sum string) *Checked {
	return &Checked{from: from, what: what, left: size, sum: sum, hash: sha256.New()}
}

// Err returns the error that Read has returned. It is io.EOF if all of the content was read and is right, and nil if the
// content was not read to its end.
func (c *Checked) Err() error { return c.err }

// Read implements [io.Reader].
func (c *Checked) Read(p []byte) (n int, err error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	if c.left > 0 {
		n, err = c.from.Read(p[:min(int64(len(p)), c.left)])
		c.hash.Write(p[:n])
		c.left -= int64(n)
	}
	switch {
	case c.left == 0 && (err == nil || errors.Is(err, io.EOF)):
		c.err = c.compare()
	case errors.Is(err, io.EOF):
		c.err = fmt.Errorf("%w: %s ends %d bytes early", ErrWrong, c.what, c.left)
	default:
		c.err = err
	}
	if c.err != nil && !errors.Is(c.err, io.EOF) {
		return 0, c.err
	}
	return n, nil
}

// compare returns io.EOF if the content has ended and is right.
func (c *Checked) compare() error {
	if n, err := io.ReadFull(c.from, make([]byte, 1)); n > 0 {
		return fmt.Errorf("%w: %s has more bytes", ErrWrong, c.what)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	if got := hex.EncodeToString(c.hash.Sum(nil)); got != c.sum {
		return fmt.Errorf("%w: the SHA-256 of %s is %s, not %s", ErrWrong, c.what, got, c.sum)
	}
	return io.EOF
}
