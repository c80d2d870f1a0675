package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// TestChecked: the last bytes come after all have been compared. Wrong content and errors of the reader are
// different errors.
func TestChecked(t *testing.T) {
	const content = "some content"
	sum := sha256.Sum256([]byte(content))
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		from io.Reader
		want error
	}{
		"right":             {strings.NewReader(content), nil},
		"one byte a time":   {iotest.OneByteReader(strings.NewReader(content)), nil},
		"data with the end": {iotest.DataErrReader(strings.NewReader(content)), nil},
		"other bytes":       {strings.NewReader("SOME content"), ErrWrong},
		"early end":         {strings.NewReader(content[:5]), ErrWrong},
		"more":              {strings.NewReader(content + "!"), ErrWrong},
		"an error":          {io.MultiReader(strings.NewReader(content[:5]), iotest.ErrReader(broken)), broken},
		"an error at last":  {io.MultiReader(strings.NewReader(content), iotest.ErrReader(broken)), broken},
	} {
		c := Check(tc.from, "it", int64(len(content)), hex.EncodeToString(sum[:]))
		read := make([]byte, len(content))
		// A reader that knows the size does not wait for the end.
		n, err := io.ReadFull(c, read)
		if tc.want == nil && (err != nil || string(read) != content || c.Err() != io.EOF) {
			t.Errorf("%s: %d bytes, error %v, then %v", name, n, err, c.Err())
		}
		if tc.want != nil && (!errors.Is(c.Err(), tc.want) || n == len(content)) {
			t.Errorf("%s: all %d bytes are returned, error %v, want %v", name, n, c.Err(), tc.want)
		}
	}
	empty := sha256.Sum256(nil)
	if rest, err := io.ReadAll(Check(strings.NewReader(""), "it", 0, hex.EncodeToString(empty[:]))); len(rest) > 0 || err != nil {
		t.Errorf("empty content is read as %q, error %v", rest, err)
	}
}

// TestEach: the first error ends the rest, and a context that has ended is an error.
func TestEach(t *testing.T) {
	var done atomic.Int64
	if err := Each(t.Context(), 100, 7, func(context.Context, int) error { done.Add(1); return nil }); err != nil || done.Load() != 100 {
		t.Errorf("%d calls, error %v", done.Load(), err)
	}
	first := errors.New("first")
	done.Store(0)
	err := Each(t.Context(), 1000, 3, func(ctx context.Context, i int) error {
		done.Add(1)
		if i == 2 {
			return first
		}
		if i > 2 {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	if !errors.Is(err, first) || done.Load() > 10 {
		t.Errorf("%d calls, error %v", done.Load(), err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Each(ended, 5, 2, func(context.Context, int) error { t.Error("called"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
