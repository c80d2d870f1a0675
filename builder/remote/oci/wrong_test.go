package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/treewright/treewright/builder/remote"
)

// layer reports whether a request is for the blob of a layer, or for any blob.
func layer(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/")
}

func manifest(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/")
}

// instead changes the registry's answers by the function change.
func (f *fake) instead(which func(*http.Request) bool, length bool, change func([]byte) []byte) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !which(r) {
			return false
		}
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		f.mu.Lock()
		content := f.blobs[name]
		if manifest(r) {
			content = f.manifests[name]
		}
		f.mu.Unlock()
		content = change(bytes.Clone(content))
		if length {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		} else {
			w.(http.Flusher).Flush()
		}
		w.Write(content)
		return true
	}
}

func flip(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

// altered answers with other bytes than the blob's.
func altered(w http.ResponseWriter, r *http.Request) bool {
	if layer(r) {
		w.Write(text("other"))
	}
	return layer(r)
}

// edited answers with another manifest.
func (f *fake) edited(edit func(*ocispec.Manifest)) func(http.ResponseWriter, *http.Request) bool {
	return f.instead(manifest, true, func(b []byte) []byte {
		var m ocispec.Manifest
		if err := json.Unmarshal(b, &m); err != nil {
			f.t.Error(err)
		}
		edit(&m)
		b, err := json.Marshal(m)
		if err != nil {
			f.t.Error(err)
		}
		return b
	})
}

// TestWrongAnswers: bytes that differ from the result are an error. The reader gets an error as well, in place of the end.
func TestWrongAnswers(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	put(t, c, "one")
	put(t, c, "two")
	two := func([]byte) []byte { return f.manifests["treewright-"+keyOf("two")] }
	type fault = func(http.ResponseWriter, *http.Request) bool
	note := func(name, value string) fault {
		return f.edited(func(m *ocispec.Manifest) { m.Annotations[name] = value })
	}
	size := fmt.Sprint(len(text("one")))
	for name, tc := range map[string]struct {
		fault fault
		want  error
		// read is true if the reader is called.
		read bool
	}{
		"another byte":                     {f.instead(layer, true, flip), remote.ErrWrong, true},
		"another byte, no length":          {f.instead(layer, false, flip), remote.ErrWrong, true},
		"the first bytes":                  {f.instead(layer, true, func(b []byte) []byte { return b[:1000] }), remote.ErrWrong, false},
		"the first bytes, no length":       {f.instead(layer, false, func(b []byte) []byte { return b[:1000] }), remote.ErrWrong, true},
		"without the last byte, no length": {f.instead(layer, false, func(b []byte) []byte { return b[:len(b)-1] }), remote.ErrWrong, true},
		"one byte more":                    {f.instead(layer, true, func(b []byte) []byte { return append(b, 0) }), remote.ErrWrong, false},
		"one byte more, no length":         {f.instead(layer, false, func(b []byte) []byte { return append(b, 0) }), remote.ErrWrong, true},
		"another frame, no length":         {f.instead(layer, false, func(b []byte) []byte { return append(b, b...) }), remote.ErrWrong, true},
		"nothing":                          {f.instead(layer, false, func([]byte) []byte { return nil }), remote.ErrWrong, true},
		"a page of a proxy":                {f.instead(layer, false, func([]byte) []byte { return []byte("<html>log in!") }), remote.ErrWrong, true},
		"the size is less":                 {note(sizeAnnotation, "100"), remote.ErrWrong, true},
		"the size is more":                 {note(sizeAnnotation, size+"0"), remote.ErrWrong, true},
		"another SHA-256":                  {note(sumAnnotation, keyOf("x")), remote.ErrWrong, true},
		"the size is a word":               {note(sizeAnnotation, "large"), remote.ErrWrong, false},
		"the size is negative":             {note(sizeAnnotation, "-1"), remote.ErrWrong, false},
		"the SHA-256 is a word":            {note(sumAnnotation, "unknown"), remote.ErrWrong, false},
		"another key":                      {note(keyAnnotation, keyOf("two")), remote.ErrWrong, false},
		"the manifest of another":          {f.instead(manifest, true, two), remote.ErrWrong, false},
		"an artifact": {f.edited(func(m *ocispec.Manifest) {
			m.ArtifactType, m.Config.MediaType = "application/vnd.example", ocispec.MediaTypeEmptyJSON
		}), remote.ErrWrong, false},
		"an artifact type":             {f.edited(func(m *ocispec.Manifest) { m.ArtifactType = "application/vnd.example" }), remote.ErrWrong, false},
		"an image, but not of ours":    {f.edited(func(m *ocispec.Manifest) { m.Annotations = nil }), remote.ErrWrong, false},
		"two layers":                   {f.edited(func(m *ocispec.Manifest) { m.Layers = append(m.Layers, m.Layers...) }), remote.ErrWrong, false},
		"no layer":                     {f.edited(func(m *ocispec.Manifest) { m.Layers = nil }), remote.ErrWrong, false},
		"a layer of another kind":      {f.edited(func(m *ocispec.Manifest) { m.Layers[0].MediaType = ocispec.MediaTypeImageLayerGzip }), remote.ErrWrong, false},
		"a layer with a path":          {f.edited(func(m *ocispec.Manifest) { m.Layers[0].Digest = "sha256:../../other" }), remote.ErrWrong, false},
		"a manifest of garbage":        {f.instead(manifest, true, func([]byte) []byte { return text("x")[:5000] }), remote.ErrWrong, false},
		"an empty manifest":            {f.instead(manifest, true, func([]byte) []byte { return nil }), remote.ErrWrong, false},
		"a manifest without an end":    {endless, remote.ErrWrong, false},
		"a manifest of another digest": {digestOf(keyOf("x")), remote.ErrWrong, false},
		"no blob": {func(w http.ResponseWriter, r *http.Request) bool {
			if layer(r) {
				http.NotFound(w, r)
			}
			return layer(r)
		}, remote.ErrMissing, false},
	} {
		f.is(tc.fault)
		_, ended, err := get(t.Context(), c, "one")
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: error %v, want %v", name, err, tc.want)
		}
		if read := errors.Is(ended, remote.ErrWrong); read != tc.read {
			t.Errorf("%s: reading ends with %v", name, ended)
		}
	}
	f.is(nil)
	wants(t, c, "one")
}

// endless answers with a manifest that never ends.
func endless(w http.ResponseWriter, r *http.Request) bool {
	if !manifest(r) {
		return false
	}
	for {
		if _, err := w.Write(text("{")); err != nil {
			return true
		}
	}
}

func digestOf(sum string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if manifest(r) {
			w.Header().Set("Docker-Content-Digest", "sha256:"+sum)
			fmt.Fprint(w, "{}")
		}
		return manifest(r)
	}
}

// TestCutOff: a connection that ends in the middle is an error of the registry, not of the result.
func TestCutOff(t *testing.T) {
	f, url := serve(t)
	c := opened(t, remote.Access{URL: url}, relaxed)
	put(t, c, "one")
	f.is(func(w http.ResponseWriter, r *http.Request) bool {
		if !layer(r) {
			return false
		}
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		w.Header().Set("Content-Length", fmt.Sprint(len(f.blobs[name])))
		w.Write(f.blobs[name][:1000])
		panic(http.ErrAbortHandler)
	})
	_, _, err := get(t.Context(), c, "one")
	if err == nil || errors.Is(err, remote.ErrWrong) || errors.Is(err, remote.ErrMissing) || !strings.Contains(err.Error(), "the registry 127.0.0.1:") {
		t.Errorf("error %v", err)
	}
}

// TestStalls: if a registry stops at any point, the request ends, with the reason.
func TestStalls(t *testing.T) {
	f, url := serve(t)
	put(t, opened(t, remote.Access{URL: url}, relaxed), "one")
	release := make(chan struct{})
	defer close(release)
	// stops makes requests of a kind wait, after a part of the answer or of the upload.
	stops := func(request string, after func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if method, kind, _ := strings.Cut(request, " "); r.Method != method || !strings.Contains(r.URL.Path, "/"+kind+"/") {
				return false
			}
			after(w, r)
			<-release
			return true
		}
	}
	nothing := func(http.ResponseWriter, *http.Request) {}
	begins := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "900000")
		w.Write(make([]byte, 10))
		w.(http.Flusher).Flush()
	}
	takes := func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }
	const answer, data = "no answer within 1s", "the registry stopped in the middle: almost no data came for 300ms"
	// All other limits are those of a busy machine.
	short := func(want string) limits {
		l := relaxed
		switch {
		case want == answer:
			l.answer = time.Second
		case strings.Contains(want, "confirm"):
			l.stored = 300 * time.Millisecond
		default:
			l.stall = 300 * time.Millisecond
		}
		return l
	}
	has := func(c *cache) error { _, err := c.Has(t.Context(), []string{keyOf("one")}); return err }
	gets := func(c *cache) error { _, _, err := get(t.Context(), c, "one"); return err }
	puts := func(c *cache) error { return c.Put(t.Context(), keyOf("two"), writing(text("two"))) }
	// More bytes than sockets accept before the other end reads any.
	putsMuch := func(c *cache) error {
		return c.Put(t.Context(), keyOf("two"), func(w io.Writer) error {
			_, err := io.CopyN(w, noise{}, 16<<20)
			return err
		})
	}
	for name, tc := range map[string]struct {
		fault func(http.ResponseWriter, *http.Request) bool
		do    func(*cache) error
		want  string
	}{
		"a tag":                    {stops("HEAD manifests", nothing), has, answer},
		"a manifest":               {stops("GET manifests", nothing), gets, answer},
		"in a manifest":            {stops("GET manifests", begins), gets, data},
		"a blob":                   {stops("GET blobs", nothing), gets, answer},
		"the beginning of uploads": {stops("POST blobs", nothing), puts, answer},
		"in an upload":             {stops("PUT blobs", nothing), putsMuch, "the registry stopped in the middle: it took almost nothing for 300ms"},
		"after an upload":          {stops("PUT blobs", takes), puts, "the registry got all, and did not confirm it within 300ms"},
		"the manifest's upload":    {stops("PUT manifests", nothing), puts, answer},
	} {
		f.is(tc.fault)
		c := opened(t, remote.Access{URL: url}, short(tc.want))
		begun := time.Now()
		if err := tc.do(c); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %s", name, err, tc.want)
		}
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
		delete(f.manifests, "treewright-"+keyOf("two"))
		clear(f.blobs)
		f.is(nil)
		put(t, opened(t, remote.Access{URL: url}, relaxed), "one")
	}
}

// noise returns bytes that compression does not make smaller.
type noise struct{}

var seed uint64 = 1

func (noise) Read(p []byte) (int, error) {
	for i := range p {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		p[i] = byte(seed)
	}
	return len(p), nil
}
