package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFetchFaults(t *testing.T) {
	good := deb(1700000000, "good content")
	sum := sha256.Sum256(good)
	wrong := deb(1700000000, "evil content")
	wrongSum := sha256.Sum256(wrong)
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   []string
		tries  int32
	}{
		"wrong checksum": {
			func(w http.ResponseWriter, _ *http.Request) { w.Write(wrong) },
			[]string{"fetch package a 1: ", "/pool/a+x.deb: wrong checksum", hex.EncodeToString(sum[:]), hex.EncodeToString(wrongSum[:])}, 3,
		},
		"truncated": {
			func(w http.ResponseWriter, _ *http.Request) { w.Write(good[:len(good)-3]) },
			[]string{"fetch package a 1: ", fmt.Sprintf("ends after %d of %d bytes", len(good)-3, len(good))}, 4,
		},
		"connection lost": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(len(good)))
				w.Write(good[:20])
			},
			[]string{"fetch package a 1: ", "unexpected EOF"}, 4,
		},
		"too long": {
			func(w http.ResponseWriter, _ *http.Request) { w.Write(append(bytes.Clone(good), "more"...)) },
			[]string{"fetch package a 1: ", fmt.Sprintf("longer than the %d bytes", len(good))}, 1,
		},
		"404": {
			func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
			[]string{"fetch package a 1: ", "the server answers 404 Not Found"}, 1,
		},
		"500": {
			func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 500) },
			[]string{"fetch package a 1: ", "the server answers 500"}, 4,
		},
		"429": {
			func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusTooManyRequests) },
			[]string{"the server answers 429"}, 4,
		},
		"stalls in the middle": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Write(good[:20])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			},
			[]string{"fetch package a 1: ", "/pool/a+x.deb: the server stopped in the middle"}, 4,
		},
		"no package": {nil, []string{"read package: not an ar archive"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t)
			content := good
			if tc.answer == nil {
				content = bytes.Repeat([]byte("no package"), 20)
			}
			index := m.add("a", "1", content)
			if tc.answer != nil {
				m.special["/pool/a+x.deb"] = tc.answer
			}
			f := m.fetch(t, context.Background(), t.TempDir(), index)
			if f.err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(f.err.Error(), want) {
					t.Errorf("error %q lacks %q", f.err, want)
				}
			}
			if n := m.hits.Load(); n != tc.tries {
				t.Errorf("%d tries, want %d", n, tc.tries)
			}
			if left := filesBelow(t, f.cache); tc.answer != nil && len(left) > 0 {
				t.Errorf("left in the cache: %v", left)
			}
			if _, err := os.Stat(filepath.Join(f.out, "Packages")); err == nil {
				t.Error("there is an index, though a package is missing")
			}
		})
	}
}

func TestFetchTriesAgain(t *testing.T) {
	m := newMirror(t)
	content := deb(1700000000, "good")
	index := m.add("a", "1", content)
	var n atomic.Int32
	m.special["/pool/a+x.deb"] = func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) {
		case 1:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case 2:
			w.Write(content[:50])
		default:
			w.Write(content)
		}
	}
	f := m.fetch(t, context.Background(), t.TempDir(), index)
	if f.err != nil || n.Load() != 3 {
		t.Errorf("error %v after %d tries", f.err, n.Load())
	}
	if left := filesBelow(t, f.cache); len(left) != 1 {
		t.Errorf("the cache has %v, want the package alone", left)
	}
}

func TestFetchCancelled(t *testing.T) {
	m := newMirror(t)
	index := m.add("a", "1", deb(1, "a"))
	ctx, cancel := context.WithCancel(context.Background())
	m.special["/pool/a+x.deb"] = func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("!<arch>"))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}
	start := time.Now()
	f := m.fetch(t, ctx, t.TempDir(), index)
	if !errors.Is(f.err, context.Canceled) {
		t.Errorf("error %v, want one that is context.Canceled", f.err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
	if left := filesBelow(t, f.cache); len(left) > 0 {
		t.Errorf("left in the cache: %v", left)
	}
}

func TestFetchUnreachable(t *testing.T) {
	m := newMirror(t)
	index := m.add("a", "1", deb(1, "a"))
	m.Close()
	f := m.fetch(t, context.Background(), t.TempDir(), index)
	if f.err == nil || !strings.Contains(f.err.Error(), "fetch package a 1: ") || !strings.Contains(f.err.Error(), "connection refused") {
		t.Errorf("error %v", f.err)
	}
}

// TestFetchStopsTheOthers: one missing package ends the rest, and the error is
// about it alone.
func TestFetchStopsTheOthers(t *testing.T) {
	m := newMirror(t)
	var index []string
	for i := range 20 {
		name := fmt.Sprintf("p%02d", i)
		index = append(index, m.add(name, "1", deb(1, name)))
		if i > 0 {
			m.special["/pool/"+name+"+x.deb"] = func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-r.Context().Done():
				case <-time.After(5 * time.Second):
				}
			}
		}
	}
	delete(m.files, "/pool/p00+x.deb")
	start := time.Now()
	f := m.fetch(t, context.Background(), t.TempDir(), index...)
	if f.err == nil || !strings.Contains(f.err.Error(), "p00") || strings.Contains(f.err.Error(), "p01") {
		t.Errorf("error %v, want one about p00 alone", f.err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}
