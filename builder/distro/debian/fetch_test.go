package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/treetest"
)

// deb is the beginning of a .deb that was built at date, and some content.
func deb(date int, content string) []byte {
	return []byte("!<arch>\n" + fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n", "debian-binary", date, 0, 0, "100644", 4) + "2.0\n" + content)
}

// mirror serves .deb files below /pool/, unless a test says otherwise.
type mirror struct {
	*httptest.Server
	mu      sync.Mutex
	files   map[string][]byte
	special map[string]http.HandlerFunc
	hits    atomic.Int32
}

func newMirror(t *testing.T) *mirror {
	m := &mirror{files: map[string][]byte{}, special: map[string]http.HandlerFunc{}}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.hits.Add(1)
		m.mu.Lock()
		h, body := m.special[r.URL.Path], m.files[r.URL.Path]
		m.mu.Unlock()
		switch {
		case h != nil:
			h(w, r)
		case body != nil:
			w.Write(body)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(m.Close)
	for _, name := range []string{"http_proxy", "HTTP_PROXY"} {
		t.Setenv(name, "")
	}
	return m
}

// impatient is a client that tries four times, and does not wait long for what
// has begun.
func impatient() *download.Client {
	return Policy{}.Client(download.Timing{Answer: 20 * time.Second, Stall: 500 * time.Millisecond, Pauses: []time.Duration{1, 1, 1}}, func(string) {})
}

// add puts a package on the mirror and returns its paragraph of the index.
func (m *mirror) add(name, version string, content []byte) string {
	path := "/pool/" + name + "+x.deb"
	m.files[path] = content
	sum := sha256.Sum256(content)
	return fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nFilename: %s\nSize: %d\nSHA256: %s\nDescription: d\n",
		name, version, path[1:], len(content), hex.EncodeToString(sum[:]))
}

type fetched struct {
	out, cache string
	epoch      int64
	done       int64
	total      int64
	err        error
}

func (m *mirror) fetch(t *testing.T, ctx context.Context, cache string, index ...string) fetched {
	t.Helper()
	f := fetched{out: t.TempDir(), cache: cache}
	var mu sync.Mutex
	f.epoch, f.err = fetch(ctx, []byte(strings.Join(index, "\n")), f.out, distro.FetchHints{Mirrors: map[string][]string{distro.MainSource: {m.URL}}, Cache: cache}, impatient(), func(done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		f.done, f.total = max(f.done, done), total
	})
	return f
}

// filesBelow lists all files, temporary ones too.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFetch(t *testing.T) {
	m := newMirror(t)
	a, b := deb(1700000000, "a"), deb(1600000000, strings.Repeat("b", 100000))
	index := []string{m.add("a", "1:2.0-1", a), m.add("b", "3", b)}
	cache := t.TempDir()
	f := m.fetch(t, context.Background(), cache, index...)
	if f.err != nil {
		t.Fatal(f.err)
	}
	if f.epoch != 1700000000 {
		t.Errorf("epoch %d, want the newer package's", f.epoch)
	}
	if want := int64(len(a) + len(b)); f.done != want || f.total != want {
		t.Errorf("progress ended at %d of %d, want %d", f.done, f.total, want)
	}
	for name, want := range map[string][]byte{"pool/a_2.0-1_amd64.deb": a, "pool/b_3_amd64.deb": b} {
		if got, err := os.ReadFile(filepath.Join(f.out, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: error %v, or another content", name, err)
		}
	}
	packages, err := os.ReadFile(filepath.Join(f.out, "Packages"))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := parsePackages(packages)
	if err != nil || len(ps) != 2 || ps[0].Filename != "pool/a_2.0-1_amd64.deb" || ps[1].Filename != "pool/b_3_amd64.deb" {
		t.Errorf("index %s, error %v", packages, err)
	}
	if n := m.hits.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}

	// A download on another machine has the same times, because the inputs of a worker include times.
	first := treetest.Listing(t, f.out)
	if other := m.fetch(t, context.Background(), t.TempDir(), index...); other.err != nil || !slices.Equal(treetest.Listing(t, other.out), first) {
		t.Errorf("on another machine: %v, %q\nhere %q", other.err, treetest.Listing(t, other.out), first)
	}

	// The second time nothing is downloaded, not even with the mirror gone.
	m.Close()
	g := m.fetch(t, context.Background(), cache, index...)
	if g.err != nil || g.epoch != f.epoch || g.done != f.done {
		t.Errorf("from the cache: %+v", g)
	}
	// The same packages give the same directory.
	again, err := os.ReadFile(filepath.Join(g.out, "Packages"))
	if err != nil || !bytes.Equal(again, packages) {
		t.Errorf("the second index differs, error %v", err)
	}
}

func TestFetchDamagedCache(t *testing.T) {
	m := newMirror(t)
	content := deb(1700000000, "good")
	index := m.add("a", "1", content)
	cache := t.TempDir()
	if f := m.fetch(t, context.Background(), cache, index); f.err != nil {
		t.Fatal(f.err)
	}
	file := filesBelow(t, cache)[0]
	// A disk that lost a block: same size, other bytes. A new file, as results
	// may be linked to the old one.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), len(content)), 0o644); err != nil {
		t.Fatal(err)
	}
	f := m.fetch(t, context.Background(), cache, index)
	if f.err != nil {
		t.Fatal(f.err)
	}
	if got, err := os.ReadFile(filepath.Join(f.out, "pool/a_1_amd64.deb")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("error %v, or the damaged bytes were used", err)
	}
}

func TestFetchFromADirectory(t *testing.T) {
	m := newMirror(t)
	content := deb(1500000000, "local")
	index := m.add("a", "1", content)
	dir := filepath.Join(t.TempDir(), "with blank")
	if err := os.MkdirAll(filepath.Join(dir, "pool"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pool/a+x.deb"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	hints := distro.FetchHints{Mirrors: map[string][]string{distro.MainSource: {"file://" + strings.ReplaceAll(dir, " ", "%20")}}, Cache: t.TempDir()}
	epoch, err := Family{}.Fetch(context.Background(), []byte(index), t.TempDir(), hints, func(int64, int64) {}, func(string) {})
	if err != nil || epoch != 1500000000 {
		t.Errorf("epoch %d, error %v", epoch, err)
	}
}

func TestFetchNothing(t *testing.T) {
	out := t.TempDir()
	epoch, err := Family{}.Fetch(context.Background(), nil, out, distro.FetchHints{Cache: t.TempDir()}, func(int64, int64) {}, func(string) {})
	if err != nil || epoch != 0 {
		t.Errorf("epoch %d, error %v", epoch, err)
	}
	if text, err := os.ReadFile(filepath.Join(out, "Packages")); err != nil || len(text) != 0 {
		t.Errorf("index %q, error %v", text, err)
	}
}

func FuzzReadBuildDate(f *testing.F) {
	f.Add(deb(1700000000, "x"))
	f.Add([]byte("!<arch>\n"))
	f.Add(bytes.Replace(deb(1, ""), []byte("1 "), []byte("-1"), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		date, err := readBuildDate(bytes.NewReader(b))
		if err != nil {
			return
		}
		if date < 0 || len(b) < 68 || !bytes.HasPrefix(b, []byte("!<arch>\n")) {
			t.Errorf("%q has the date %d", b, date)
		}
	})
}

// TestPlaceTogether: builds that download the same package at once can all link
// to it.
func TestPlaceTogether(t *testing.T) {
	content := deb(1, "same")
	sum := sha256.Sum256(content)
	p := distro.Archived{Package: distro.Package{Name: "a"}, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
	for range 100 {
		dir := t.TempDir()
		cached := filepath.Join(dir, "cached")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				tmp := filepath.Join(dir, fmt.Sprint("tmp", i))
				err := os.WriteFile(tmp, content, 0o644)
				if err = errors.Join(err, place(tmp, cached, filepath.Join(dir, fmt.Sprint("link", i)), p)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if left, err := os.ReadDir(dir); err != nil || len(left) != 9 {
			t.Fatalf("%d files, error %v", len(left), err)
		}
	}
	// What is there and damaged is replaced.
	dir := t.TempDir()
	for name, text := range map[string][]byte{"cached": []byte("rot"), "tmp": content} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := place(filepath.Join(dir, "tmp"), filepath.Join(dir, "cached"), filepath.Join(dir, "pooled"), p); err != nil || !fileHas(filepath.Join(dir, "cached"), p) || !fileHas(filepath.Join(dir, "pooled"), p) {
		t.Errorf("a damaged file stays: %v", err)
	}
}
