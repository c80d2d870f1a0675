package reapi

import (
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

// TestReplaced: a result that the server has is replaced.
func TestReplaced(t *testing.T) {
	c := connect(t, newServer())
	put(t, c, keyOf(1), []byte("one"))
	put(t, c, keyOf(1), []byte("another"))
	if got, err := get(c, keyOf(1)); err != nil || string(got) != "another" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestRefused: an upload that is refused is an error. One during which the server was away for a moment is not. One that the server
// does not need ends early.
func TestRefused(t *testing.T) {
	for _, size := range []int{10, 2_000_000} {
		for _, compressed := range []bool{true, false} {
			name := map[bool]string{true: "Write", false: "BatchUpdateBlobs"}[size > 100_000]
			prepare := func() (*server, *client) {
				s := newServer()
				if !compressed {
					s.can.SupportedCompressors = nil
				}
				return s, connect(t, s)
			}
			s, c := prepare()
			s.refuse, s.with = map[string]int{name: -1}, codes.ResourceExhausted
			if err := c.Put(t.Context(), keyOf(1), writing(content(size))); !has(err, codes.ResourceExhausted) || !strings.Contains(err.Error(), "refused by the test") {
				t.Errorf("a full server: %v", err)
			}
			if len(s.results) > 0 || s.calls[name] != 1 {
				t.Errorf("a full server got a result in %d tries", s.calls[name])
			}
			s, c = prepare()
			s.refuse, s.with = map[string]int{name: 1}, codes.Unavailable
			put(t, c, keyOf(1), content(size))
			s, c = prepare()
			s.refuse, s.with = map[string]int{name: 2}, codes.Unavailable
			if err := c.Put(t.Context(), keyOf(1), writing(content(size))); !has(err, codes.Unavailable) || s.calls[name] != 2 {
				t.Errorf("a server that is away: %v after %d tries", err, s.calls[name])
			}
		}
	}
}

// TestOthersUpload: the server ends an upload when it has the blob from another client.
func TestOthersUpload(t *testing.T) {
	for _, compressed := range []bool{true, false} {
		s := newServer()
		if !compressed {
			s.can.SupportedCompressors = nil
		}
		s.have = true
		c := connect(t, s)
		b := blobOf(content(5_000_000))
		err := c.upload(t.Context(), b.digest, compressed, writing(b.content))
		if err != nil {
			t.Errorf("compressed %v: %v", compressed, err)
		}
	}
}

// TestCutUpload: a server that took only a part of a blob does not have the result.
func TestCutUpload(t *testing.T) {
	s := newServer()
	s.committed = func(n int64) int64 { return n - 1 }
	c := connect(t, s)
	if err := c.Put(t.Context(), keyOf(1), writing(content(200_000))); err == nil || len(s.results) > 0 {
		t.Errorf("error %v, %d results", err, len(s.results))
	}
}

// TestChanges: a result that differs when it is read the second time is not sent.
func TestChanges(t *testing.T) {
	for _, size := range []int{10, 200_000} {
		s := newServer()
		c := connect(t, s)
		times := 0
		err := c.Put(t.Context(), keyOf(1), func(w io.Writer) error {
			times++
			return writing(content(size + times))(w)
		})
		if err == nil || !strings.Contains(err.Error(), "has changed") || len(s.results) > 0 {
			t.Errorf("error %v, %d results", err, len(s.results))
		}
		mine := errors.New("mine")
		times = 0
		err = c.Put(t.Context(), keyOf(1), func(w io.Writer) error {
			if times++; times == 2 {
				return mine
			}
			return writing(content(size))(w)
		})
		if !errors.Is(err, mine) || len(s.results) > 0 {
			t.Errorf("error %v, want the writer's own; %d results", err, len(s.results))
		}
	}
}
