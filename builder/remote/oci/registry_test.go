package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/treewright/treewright/builder/remote"
	"github.com/treewright/treewright/builder/treetest"
)

const repository = "owner/cache"

// fake is a registry that keeps its uploads. A test can make it faulty.
type fake struct {
	t *testing.T

	mu        sync.Mutex
	blobs     map[string][]byte
	manifests map[string][]byte
	asked     []string
	fault     func(http.ResponseWriter, *http.Request) bool
}

func newFake(t *testing.T) *fake {
	return &fake{t: t, blobs: map[string][]byte{}, manifests: map[string][]byte{}}
}

// serve starts a registry that is asked by plain HTTP.
func serve(t *testing.T) (*fake, string) {
	f := newFake(t)
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return f, "oci://" + strings.TrimPrefix(s.URL, "http://") + "/" + repository
}

// is makes the registry faulty. fault answers a request and returns true, or returns false.
func (f *fake) is(fault func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.asked = fault, nil
}

// requests returns the requests since the last call of is, such as "PUT manifests".
func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v2/"+repository+"/")
	kind, name, _ := strings.Cut(path, "/")
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+kind)
	fault := f.fault
	f.mu.Unlock()
	switch {
	case fault != nil && fault(w, r):
	case !ok:
		f.t.Errorf("a request of %s", r.URL.Path)
		http.NotFound(w, r)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		f.give(w, r, kind, name)
	case r.Method == http.MethodPost && kind == "blobs":
		w.Header().Set("Location", r.URL.Path+"1")
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut:
		f.take(w, r, kind, name)
	default:
		f.t.Errorf("%s %s", r.Method, r.URL.Path)
		http.Error(w, "no", http.StatusMethodNotAllowed)
	}
}

func (f *fake) give(w http.ResponseWriter, r *http.Request, kind, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := f.blobs
	if kind == "manifests" {
		from = f.manifests
		if accept := r.Header.Get("Accept"); accept != ocispec.MediaTypeImageManifest {
			f.t.Errorf("a manifest is asked for as %q", accept)
		}
		w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
	}
	content, ok := from[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Docker-Content-Digest", digest.FromBytes(content).String())
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content)
}

func (f *fake) take(w http.ResponseWriter, r *http.Request, kind, name string) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	sum := digest.FromBytes(content).String()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch kind {
	case "blobs":
		if q := r.URL.Query().Get("digest"); q != sum {
			f.t.Errorf("a blob is uploaded as %s, and is %s", q, sum)
		}
		f.blobs[sum] = content
	default:
		var m ocispec.Manifest
		if err := json.Unmarshal(content, &m); err != nil {
			f.t.Errorf("a manifest is uploaded: %v", err)
		}
		for _, d := range append(m.Layers, m.Config) {
			if _, ok := f.blobs[d.Digest.String()]; !ok {
				f.t.Errorf("a manifest is uploaded before its blob %s", d.Digest)
			}
		}
		f.manifests[name] = content
	}
	w.Header().Set("Docker-Content-Digest", sum)
	w.WriteHeader(http.StatusCreated)
}

// relaxed waits as long as a busy machine takes.
var relaxed = limits{answer: 20 * time.Second, stall: 20 * time.Second, stored: 20 * time.Second, pause: time.Millisecond}

// opened opens a cache, without the log-ins of the user that runs the test.
func opened(t *testing.T, access remote.Access, l limits) *cache {
	t.Helper()
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	return reopened(t, access, l)
}

// reopened opens a cache with the log-ins that the environment has.
func reopened(t *testing.T, access remote.Access, l limits) *cache {
	t.Helper()
	dir := t.TempDir()
	c, err := open(access, dir, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("files that remain: %v, error %v", left, err)
		}
	})
	return c
}

// keyOf makes a key of a word.
func keyOf(word string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(word))) }

// text returns a packed result. It is larger than buffers, and its bytes differ.
func text(word string) []byte {
	var b bytes.Buffer
	for i := range 40000 {
		fmt.Fprintf(&b, "%s %d %d\n", word, i, i*i)
	}
	return b.Bytes()
}

// put puts a text under the key of its word.
func put(t *testing.T, c remote.Cache, word string) {
	t.Helper()
	if err := c.Put(t.Context(), keyOf(word), writing(text(word))); err != nil {
		t.Fatal(err)
	}
}

func writing(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

// get gets the result of a word, and returns the bytes and the error that the reader ended with.
func get(ctx context.Context, c remote.Cache, word string) (content []byte, ended, err error) {
	ended = errors.New("nothing was read")
	err = c.Get(ctx, keyOf(word), func(r io.Reader) error {
		content, ended = io.ReadAll(r)
		return ended
	})
	return content, ended, err
}

// wants checks that a cache gives the result that was put.
func wants(t *testing.T, c remote.Cache, word string) {
	t.Helper()
	if got, _, err := get(t.Context(), c, word); err != nil || !bytes.Equal(got, text(word)) {
		t.Errorf("%s: %d bytes, error %v", word, len(got), err)
	}
}

// docker writes docker's configuration into a new directory, and sets DOCKER_CONFIG to it.
func docker(t *testing.T, config string) {
	t.Helper()
	dir := t.TempDir()
	treetest.Write(t, filepath.Join(dir, "config.json"), config)
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv("DOCKER_CONFIG", dir)
}
