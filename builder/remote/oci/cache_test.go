package oci

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/remote"
)

// TestRoundTrip: another machine finds the results that were put, and only those.
func TestRoundTrip(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	put(t, c, "one")
	put(t, c, "two")
	other := opened(t, remote.Access{URL: url}, relaxed)
	has, err := other.Has(t.Context(), []string{keyOf("one"), keyOf("two"), keyOf("three")})
	if err != nil || !has[keyOf("one")] || !has[keyOf("two")] || has[keyOf("three")] || len(has) != 3 {
		t.Errorf("has %v, error %v", has, err)
	}
	wants(t, other, "one")
	wants(t, other, "two")
	if _, _, err := get(t.Context(), other, "three"); !errors.Is(err, remote.ErrMissing) {
		t.Errorf("a result that was never put: error %v", err)
	}

	// Another result of the same bytes is one more manifest.
	f.is(nil)
	if err := c.Put(t.Context(), keyOf("three"), writing(text("one"))); err != nil {
		t.Fatal(err)
	}
	if got, want := f.requests(), []string{"HEAD blobs", "HEAD blobs", "PUT manifests"}; !slices.Equal(got, want) {
		t.Errorf("blobs that are there: requests %q, want %q", got, want)
	}
}

// TestManifestsAreOfTheirResultAlone: two machines write the same bytes for one result.
func TestManifestsAreOfTheirResultAlone(t *testing.T) {
	first, url := serve(t)
	put(t, opened(t, remote.Access{URL: url}, relaxed), "one")
	second, url := serve(t)
	put(t, opened(t, remote.Access{URL: url}, relaxed), "one")
	tag := "treewright-" + keyOf("one")
	if a, b := first.manifests[tag], second.manifests[tag]; len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("the first: %s\nthe second: %s", a, b)
	}
}

// TestReadersThatStop: the check takes place also if a reader stops before the end. The reader's own error comes first.
func TestReadersThatStop(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	put(t, c, "one")
	some := func(r io.Reader) error {
		_, err := io.ReadFull(r, make([]byte, 10))
		return err
	}
	if err := c.Get(t.Context(), keyOf("one"), some); err != nil {
		t.Errorf("a reader that stops: %v", err)
	}
	mine := errors.New("the disk is full")
	if err := c.Get(t.Context(), keyOf("one"), func(io.Reader) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("a reader that fails: error %v", err)
	}
	f.is(altered)
	if err := c.Get(t.Context(), keyOf("one"), func(io.Reader) error { return nil }); !errors.Is(err, remote.ErrWrong) {
		t.Errorf("a reader that reads nothing of a wrong blob: error %v", err)
	}
}

// TestWritersThatFail: if the result cannot be packed, no request is sent and no file remains.
func TestWritersThatFail(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	mine := errors.New("the result is damaged")
	err := c.Put(t.Context(), keyOf("one"), func(w io.Writer) error {
		if _, err := w.Write(text("one")); err != nil {
			return err
		}
		return mine
	})
	if !errors.Is(err, mine) || len(f.requests()) > 0 {
		t.Errorf("error %v, requests %q", err, f.requests())
	}
}

// TestKeys: text that is not a key never becomes a part of a URL.
func TestKeys(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	for _, key := range []string{"", "../../other/blobs/x", strings.ToUpper(keyOf("one")), keyOf("one") + "0"} {
		if _, err := c.Has(t.Context(), []string{key}); err == nil {
			t.Errorf("has %q", key)
		}
		if err := c.Get(t.Context(), key, func(io.Reader) error { return nil }); err == nil {
			t.Errorf("got %q", key)
		}
		if err := c.Put(t.Context(), key, writing(nil)); err == nil {
			t.Errorf("put %q", key)
		}
	}
	if len(f.requests()) > 0 {
		t.Errorf("requests %q", f.requests())
	}
}

// TestManyTags: several tags are asked for at the same time, but not all of them.
func TestManyTags(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	put(t, c, "7")
	var now, most atomic.Int32
	f.is(func(http.ResponseWriter, *http.Request) bool {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		return false
	})
	var keys []string
	for i := range 100 {
		keys = append(keys, keyOf(string(rune('0'+i))))
	}
	has, err := c.Has(t.Context(), keys)
	if err != nil || len(has) != 100 || !has[keyOf("7")] || has[keyOf("8")] {
		t.Errorf("%d answers, error %v", len(has), err)
	}
	if m := most.Load(); m > mostAtOnce || m < 2 {
		t.Errorf("%d requests at the same time", m)
	}
	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		http.Error(w, "no", http.StatusInternalServerError)
		return true
	})
	if _, err := c.Has(t.Context(), keys); err == nil || len(f.requests()) > 2*mostAtOnce {
		t.Errorf("a registry that fails: error %v after %d requests", err, len(f.requests()))
	}
}

// TestCancel: the end of a context ends each kind of wait, with the reason of the context.
func TestCancel(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, limits{answer: time.Hour, stall: time.Hour, stored: time.Hour, pause: time.Hour})
	put(t, c, "one")
	why := errors.New("the user has enough")
	release := make(chan struct{})
	defer close(release)
	hold := func(method, kind string, header bool) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != method || !strings.Contains(r.URL.Path, kind) {
				return false
			}
			if header {
				w.Header().Set("Content-Length", "100000")
				w.WriteHeader(http.StatusOK)
				w.(http.Flusher).Flush()
			}
			<-release
			return true
		}
	}
	busy := func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	for name, tc := range map[string]struct {
		fault func(http.ResponseWriter, *http.Request) bool
		do    func(context.Context) error
	}{
		"has": {hold("HEAD", "manifests", false), func(ctx context.Context) error {
			_, err := c.Has(ctx, []string{keyOf("one"), keyOf("two")})
			return err
		}},
		"a manifest": {hold("GET", "manifests", true), func(ctx context.Context) error {
			_, _, err := get(ctx, c, "one")
			return err
		}},
		"a blob": {hold("GET", "blobs", false), func(ctx context.Context) error {
			_, _, err := get(ctx, c, "one")
			return err
		}},
		"an upload": {hold("PUT", "blobs", false), func(ctx context.Context) error {
			return c.Put(ctx, keyOf("two"), writing(text("two")))
		}},
		"the pause before the second try": {busy, func(ctx context.Context) error {
			_, err := c.Has(ctx, []string{keyOf("one")})
			return err
		}},
		"packing": {nil, func(ctx context.Context) error {
			return c.Put(ctx, keyOf("three"), func(w io.Writer) error {
				for {
					if _, err := w.Write(text("three")); err != nil {
						return err
					}
				}
			})
		}},
	} {
		f.is(tc.fault)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
		if err := tc.do(ctx); !errors.Is(err, why) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestGone: a registry that does not run is an error at once.
func TestGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := opened(t, remote.Access{URL: "oci://" + l.Addr().String() + "/x"}, relaxed)
	if _, err := c.Has(t.Context(), []string{keyOf("one")}); err == nil || !strings.Contains(err.Error(), "the registry "+l.Addr().String()+": ") {
		t.Errorf("error %v", err)
	}
}
