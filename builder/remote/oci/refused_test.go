package oci

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/treewright/treewright/builder/remote"
)

// TestRefusals: a refusal is an error with the name of the registry, its reason and the remedy.
func TestRefusals(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	put(t, c, "one")
	for code, want := range map[int]string{
		401: "docker login", 403: "the log-in may not write to " + repository, 404: "perhaps the repository " + repository + " does not exist",
		400: "400 Bad Request (CODE: the reason)", 413: "limits the size of uploads", 429: "limits how many requests", 500: "500 Internal Server Error", 507: "it is full: remove old tags there",
	} {
		for _, request := range []string{"POST blobs", "PUT blobs", "PUT manifests"} {
			f.is(func(w http.ResponseWriter, r *http.Request) bool {
				if method, kind, _ := strings.Cut(request, " "); r.Method != method || !strings.Contains(r.URL.Path, "/"+kind+"/") {
					return false
				}
				w.WriteHeader(code)
				fmt.Fprint(w, `{"errors": [{"code": "CODE", "message": "the reason"}]}`)
				return true
			})
			err := c.Put(t.Context(), keyOf("two"), writing(text(fmt.Sprint(code, request))))
			if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "put result: the registry "+hostOf(url)+" answers ") || !strings.Contains(err.Error(), "the reason") {
				t.Errorf("%s: %d: error %v, want %s", request, code, err, want)
			}
			if errors.Is(err, remote.ErrMissing) || errors.Is(err, remote.ErrWrong) {
				t.Errorf("%s: %d: error %v", request, code, err)
			}
		}
		if code == 404 {
			continue
		}
		f.is(func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			return true
		})
		if _, _, err := get(t.Context(), c, "one"); err == nil || !strings.Contains(err.Error(), fmt.Sprint("answers ", code)) || errors.Is(err, remote.ErrMissing) {
			t.Errorf("GET: %d: error %v", code, err)
		}
		if _, err := c.Has(t.Context(), []string{keyOf("one")}); err == nil {
			t.Errorf("HEAD: %d is not an error", code)
		}
	}
}

// TestHostileReasons: a server's reason becomes one short line, without characters that control a terminal.
func TestHostileReasons(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	f.is(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, `{"errors": [{"code": "CODE", "message": "a\n\u001b[2J\u009b%s"}]}`, strings.Repeat("x", 2000))
		return true
	})
	if _, _, err := get(t.Context(), c, "one"); err == nil || strings.ContainsAny(err.Error(), "\n\x1b\u009b") || len(err.Error()) > 400 {
		t.Errorf("error %q", err)
	}
}

// TestTwice: after a temporary fault, the request is sent exactly once more.
func TestTwice(t *testing.T) {
	f, url := serve(t)
	put(t, opened(t, remote.Access{URL: url}, relaxed), "one")
	status := func(code int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code) }
	}
	reset := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
	for name, tc := range map[string]struct {
		answer func(http.ResponseWriter)
		passes bool
	}{
		"502": {status(502), true}, "503": {status(503), true}, "504": {status(504), true}, "a reset": {reset, true},
		"500": {status(500), false}, "429": {status(429), false}, "401": {status(401), false}, "507": {status(507), false},
	} {
		for _, faults := range []int32{1, 9} {
			var left atomic.Int32
			left.Store(faults)
			f.is(func(w http.ResponseWriter, _ *http.Request) bool {
				if left.Add(-1) < 0 {
					return false
				}
				tc.answer(w)
				return true
			})
			// Use a new connection each time, because net/http repeats requests itself on an old one.
			c := opened(t, remote.Access{URL: url}, relaxed)
			has, err := c.Has(t.Context(), []string{keyOf("one")})
			want, requests := tc.passes && faults == 1, len(f.requests())
			if want != (err == nil && has[keyOf("one")]) || tc.passes != (requests == 2) || requests > 2 {
				t.Errorf("%s, %d times: has %v after %d requests, error %v", name, faults, has, requests, err)
			}
		}
	}
	// A manifest can be sent again, and is then complete.
	var left atomic.Int32
	left.Store(1)
	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/manifests/") || left.Add(-1) < 0 {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	c := opened(t, remote.Access{URL: url}, relaxed)
	put(t, c, "two")
	wants(t, c, "two")
	// A blob comes from a file, so it is not sent again. The next build puts it.
	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusBadGateway)
		}
		return r.Method == http.MethodPut
	})
	if err := c.Put(t.Context(), keyOf("three"), writing(text("three"))); err == nil || !strings.Contains(err.Error(), "502 Bad Gateway") {
		t.Errorf("error %v", err)
	}
	if got, want := f.requests(), []string{"HEAD blobs", "POST blobs", "PUT blobs"}; !slices.Equal(got, want) {
		t.Errorf("requests %q, want %q", got, want)
	}
}

// TestRedirections: blobs may be on another server. It does not get the log-in, and its URLs are not printed.
func TestRedirections(t *testing.T) {
	f, url := serve(t)
	docker(t, auths(hostOf(url), password))
	f.is(basic)
	c := reopened(t, remote.Access{URL: url}, relaxed)
	put(t, c, "one")
	var code atomic.Int32
	var asked atomic.Int32
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Error("the log-in goes to another server")
		}
		if c := int(code.Load()); c != 200 {
			w.Header().Set("WWW-Authenticate", `Basic realm="storage"`)
			w.WriteHeader(c)
			return
		}
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		w.Write(f.blobs[name])
	}))
	defer storage.Close()
	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		if basic(w, r) {
			return true
		}
		if layer(r) {
			http.Redirect(w, r, storage.URL+r.URL.Path+"?signature=hunter3", http.StatusTemporaryRedirect)
		}
		return layer(r)
	})
	code.Store(200)
	wants(t, c, "one")
	for _, status := range []int32{401, 403, 404, 500} {
		code.Store(status)
		_, _, err := get(t.Context(), c, "one")
		if err == nil || strings.Contains(err.Error(), "hunter") || errors.Is(err, remote.ErrMissing) != (status == 404) {
			t.Errorf("%d: error %v", status, err)
		}
		if status != 404 && !strings.Contains(err.Error(), strings.TrimPrefix(storage.URL, "http://")) {
			t.Errorf("%d: the error does not have the server that answers: %v", status, err)
		}
	}
	storage.Close()
	if _, _, err := get(t.Context(), c, "one"); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("a storage that is gone: error %v", err)
	}
	if asked.Load() != 5 {
		t.Errorf("%d requests", asked.Load())
	}
}

// TestRedirectedUploads: an upload goes to the registry only, because another server would get the log-in with it.
func TestRedirectedUploads(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.Header().Set("Location", "http://127.0.0.1:1/upload?state=hunter3")
			w.WriteHeader(http.StatusAccepted)
		}
		return r.Method == http.MethodPost
	})
	if err := c.Put(t.Context(), keyOf("one"), writing(text("one"))); err == nil || strings.Contains(err.Error(), "hunter3") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("error %v", err)
	}
}
