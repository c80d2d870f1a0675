package serve

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/treewright/treewright/builder/publish"
)

func TestServed(t *testing.T) {
	h, _ := newHandler(t, fixture(t), "a", "b")
	const octets, text = "application/octet-stream", "text/plain; charset=utf-8"
	for _, c := range []struct{ path, body, contentType string }{
		{"/a/disk.raw", disk, octets},
		{"/b/disk.raw", "disk of b", octets},
		{"/disk.raw", disk, octets},
		{"//disk.raw", disk, octets},
		{"/only-b.txt", "only in b", text},
		{"/ostree-repo.tar.gz", "tarball", "application/gzip"},
		{"/repo/summary", "summary 1", octets},
		{"/a/repo//config", "[core]\nmode=archive\n", text},
		{"/repo/refs/heads/main", strings.Repeat("1", 64) + "\n", text},
		{"/repo/" + object + ".filez", "object", octets},
		{"/repo/deltas/aa/bb/superblock", "delta", octets},
		{"/tree/usr/bin/tool", "tool", octets},
		{"/tree/usr/inside", "tool", octets},
		{`/tree/usr/dev-a%5Cx2db.device`, "unit", octets},
		{"/tree/usr/page.html", "<script>", octets},
	} {
		w := get(t, h, c.path)
		if w.Code != 200 || w.Body.String() != c.body {
			t.Errorf("%s: %d %q", c.path, w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Type"); got != c.contentType {
			t.Errorf("%s is %q, want %q", c.path, got, c.contentType)
		}
		if w.Header().Get("Last-Modified") != "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: header %v", c.path, w.Header())
		}
	}
}

// strays are paths that must not be found.
var strays = []string{
	"/x", "/c/disk.raw", "/a", "/a/", "/a/disk.raw/", "/a/disk.raw/x", "/repo", "/repo/", "/a/repo", "/tree/usr", "/tree/usr/bin/",
	"/a/manifest.json", "/manifest.json", "/.private/a/manifest.json", "/.private/a/logs/install.log", "/.private/a/persist/disk.raw", "/a/%2e%2e/.private/a/persist/disk.raw", "/old/disk.raw", "/a/.lock", "/.lock", "/cache.json", "/a/old.raw", "/a/gone.raw",
	"/a/logs/install.log", "/logs/install.log", "/nomanifest/disk.raw", "/.hidden/disk.raw", "/a/manifest-secret",
	"/repo/.lock", "/repo/tmp/x", "/repo/state/x", "/repo/objects", "/tree/usr/.hidden",
	"/../outside", "/a/../../outside", "/a/../disk.raw", "/a/repo/../old.raw", "/a/repo/config/../../old.raw", "/a/./old.raw",
	"/%2e%2e/outside", "/a/%2e%2e/%2e%2e/outside", "/a/tree/%2e%2e%2fold.raw", "/a/tree/..%2f..%2f.lock", "/a%2f..%2fa%2fold.raw",
	"/a/tree/usr/%252e%252e/x", `/a/tree/..%5c..%5coutside`, "/a/disk.raw%00", "/a/disk.raw%00.txt", "/%00", "/a/tree/usr/bin/tool%00",
	"/a/link.raw", "/link.raw", "/a/linkdir/install.log", "/a/tree/usr/out", "/a/tree/usr/abs", "/a/tree/usr/logs/install.log",
	"/repo/refs/heads/other", "/a/tree/usr/inside/x", "/a/SHA256SUMS/", "/index.json/", "/SHA256SUMS", "/a/index.json", "/b/only-a", "/b/repo/config",
}

func TestNotServed(t *testing.T) {
	root := fixture(t)
	if err := syscall.Mkfifo(filepath.Join(root, "a/tree/usr/fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	h, _ := newHandler(t, root)
	for _, path := range append(slices.Clone(strays), "/tree/usr/fifo") {
		w := get(t, h, path)
		if w.Code != 404 || w.Body.String() != "not found\n" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
		if w.Header().Get("Etag") != "" || w.Header().Get("Cache-Control") != "" {
			t.Errorf("%s: header %v", path, w.Header())
		}
	}
}

// TestRawRequests goes past the client, which would tidy paths up.
func TestRawRequests(t *testing.T) {
	h, _ := newHandler(t, fixture(t))
	server := httptest.NewServer(h)
	defer server.Close()
	for _, path := range []string{"/../outside", "/a/../../outside", "/a/%2e%2e/%2e%2e/outside", "a/disk.raw", "//../../outside", "*"} {
		status, body := raw(t, server.Listener.Addr().String(), "GET "+path+" HTTP/1.0\r\n\r\n")
		if !strings.Contains(status, " 40") || strings.Contains(body, secret) {
			t.Errorf("%s: %s %s", path, status, body)
		}
	}
	if status, _ := raw(t, server.Listener.Addr().String(), "GET /a/disk.raw HTTP/1.0\r\n\r\n"); !strings.Contains(status, " 200 ") {
		t.Error(status)
	}
}

func TestMethods(t *testing.T) {
	h, _ := newHandler(t, fixture(t))
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "get"} {
		w := ask(t, h, method, "/disk.raw")
		if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	w := ask(t, h, "HEAD", "/disk.raw")
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "1000" {
		t.Errorf("HEAD: %d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestRanges(t *testing.T) {
	h, _ := newHandler(t, fixture(t))
	for _, c := range []struct {
		header []string
		code   int
		body   string
	}{
		{[]string{"Range", "bytes=10-14"}, 206, "01234"},
		{[]string{"Range", "bytes=-3"}, 206, "789"},
		{[]string{"Range", "bytes=995-"}, 206, "56789"},
		{[]string{"Range", "bytes=1000-"}, 416, ""},
		{[]string{"Range", "bytes=995-", "If-Range", `"` + sum(disk) + `"`}, 206, "56789"},
		{[]string{"Range", "bytes=995-", "If-Range", `"` + sum("an older one") + `"`}, 200, disk},
	} {
		w := get(t, h, "/disk.raw", c.header...)
		if w.Code != c.code || c.code != 416 && w.Body.String() != c.body {
			t.Errorf("%q: %d %q", c.header, w.Code, w.Body)
		}
	}
}

func TestCaching(t *testing.T) {
	root := fixture(t)
	h, _ := newHandler(t, root)
	const immutable = "public, max-age=31536000, immutable"
	for path, want := range map[string]string{
		"/repo/" + object + ".filez":      immutable,
		"/repo/deltas/aa/bb/superblock":   "no-cache",
		"/repo/" + object + ".commitmeta": "no-cache",
		"/repo/delta-indexes/aa.index":    "no-cache",
		"/repo/summary":                   "no-cache",
		"/repo/config":                    "no-cache",
		"/repo/refs/heads/main":           "no-cache",
		"/disk.raw":                       "no-cache",
		"/tree/usr/bin/tool":              "no-cache",
		"/":                               "no-cache",
		"/index.json":                     "no-cache",
		"/a/SHA256SUMS":                   "no-cache",
	} {
		w := get(t, h, path)
		tag := w.Header().Get("Etag")
		if got := w.Header().Get("Cache-Control"); w.Code != 200 || got != want || tag == "" {
			t.Errorf("%s: %d, Cache-Control %q, ETag %q", path, w.Code, got, tag)
		}
		w = get(t, h, path, "If-None-Match", tag)
		if w.Code != 304 || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != want {
			t.Errorf("%s again: %d %q %v", path, w.Code, w.Body, w.Header())
		}
	}
	if tag := get(t, h, "/disk.raw").Header().Get("Etag"); tag != `"`+sum(disk)+`"` {
		t.Errorf("the image's ETag is %s", tag)
	}
}

// TestChangedFile replaces files by others of the same size and time, as
// reproducible builds do.
func TestChangedFile(t *testing.T) {
	root := fixture(t)
	h, _ := newHandler(t, root)
	for path, file := range map[string]string{"/repo/refs/heads/main": "a/repo/refs/heads/main", "/disk.raw": "a/disk.raw"} {
		old := get(t, h, path)
		write(t, filepath.Join(root, file), strings.Repeat("2", old.Body.Len()))
		w := get(t, h, path, "If-None-Match", old.Header().Get("Etag"), "If-Modified-Since", "Fri, 30 Oct 2026 00:00:00 GMT")
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "22") {
			t.Errorf("%s after a change: %d %q", path, w.Code, w.Body)
		}
	}
}

func TestIndex(t *testing.T) {
	h, _ := newHandler(t, fixture(t), "b", "a")
	// link.raw has no checksum.
	want := sum(disk) + " *disk.raw\n" + sum("x") + " *gone.raw\n" + sum("tarball") + " *ostree-repo.tar.gz\n"
	if got := get(t, h, "/a/SHA256SUMS").Body.String(); got != want {
		t.Errorf("SHA256SUMS is\n%swant\n%s", got, want)
	}
	var index struct {
		Flavours []struct {
			Name, SHA256sums string
			Artifacts        []struct {
				Name, Kind, SHA256, Description, URL string
				Size                                 int64
			}
		}
	}
	if err := json.Unmarshal(get(t, h, "/index.json").Body.Bytes(), &index); err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, f := range index.Flavours {
		urls = append(urls, f.SHA256sums)
		for _, a := range f.Artifacts {
			urls = append(urls, a.URL)
		}
	}
	wantURLs := []string{"/b/SHA256SUMS", "/disk.raw", "/only-b.txt",
		"/a/SHA256SUMS", "/a/disk.raw", "/gone.raw", "/link.raw", "/linkdir", "/ostree-repo.tar.gz", "/repo", "/tree"}
	if !slices.Equal(urls, wantURLs) {
		t.Errorf("URLs are %q, want %q", urls, wantURLs)
	}
	if d := index.Flavours[0].Artifacts[0]; d.Size != 9 || d.SHA256 != sum("disk of b") || d.Kind != "file" {
		t.Errorf("the index says %+v", d)
	}
	w := get(t, h, "/")
	page := w.Body.String()
	for _, part := range []string{`<a href="b/only-b.txt">only-b.txt</a>`, "repo/<td", "repository &lt;b&gt;", "1.0 kB", `<a href="a/SHA256SUMS">`} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
	if w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Error(w.Header())
	}
	if strings.Contains(page, "install.log") || strings.Contains(page, "nomanifest") {
		t.Errorf("the page tells too much:\n%s", page)
	}
}

func TestNotes(t *testing.T) {
	root := fixture(t)
	h, notes := newHandler(t, root, "b", "a", "b", "later", "old")
	want := []string{
		`.private/a/manifest.json: an artifact called "../outside" cannot be served`,
		`.private/a/manifest.json: an artifact called ".lock" cannot be served`,
		`.private/a/manifest.json: an artifact called "logs/install.log" cannot be served`,
		`.private/a/manifest.json: logs is of the unknown kind "socket" and is not served`,
		`.private/a/manifest.json: an artifact called "a\nb" cannot be served`,
		`disk.raw is an artifact of b and of a: /disk.raw is that of b`,
		`later was not built yet: it is served after it is built`,
		`old was built by an earlier version of treewright: it is served after it is built again`,
	}
	if !slices.Equal(*notes, want) {
		t.Errorf("notes:\n%s\nwant:\n%s", strings.Join(*notes, "\n"), strings.Join(want, "\n"))
	}
	if got := get(t, h, "/disk.raw").Body.String(); got != "disk of b" {
		t.Errorf("/disk.raw is %q", got)
	}
	if len(*notes) != len(want) {
		t.Errorf("told again: %q", (*notes)[len(want):])
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(filepath.Join(t.TempDir(), "none"), nil, nil); err == nil || !strings.Contains(err.Error(), "nothing was built yet") {
		t.Errorf("no directory: %v", err)
	}
	for _, name := range []string{"", "..", ".x", "a/b", "a\x00"} {
		if _, err := New(fixture(t), []string{name}, nil); err == nil {
			t.Errorf("%q was taken for a flavour", name)
		}
	}
}

func TestOnlyTheNamed(t *testing.T) {
	h, _ := newHandler(t, fixture(t), "b")
	for path, want := range map[string]int{"/b/disk.raw": 200, "/disk.raw": 200, "/a/disk.raw": 404, "/repo/config": 404, "/a/SHA256SUMS": 404} {
		if got := get(t, h, path).Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestFlavourBeforeArtifact(t *testing.T) {
	root := fixture(t)
	write(t, filepath.Join(root, "b/a"), "an artifact called like a flavour")
	writeManifest(t, root, "b", artifact{Name: "a", Kind: "file"})
	h, _ := newHandler(t, root)
	if w := get(t, h, "/a"); w.Code != 404 {
		t.Errorf("/a: %d %q", w.Code, w.Body)
	}
	if !strings.Contains(get(t, h, "/index.json").Body.String(), `"/b/a"`) {
		t.Error("the index has a URL that leads elsewhere")
	}
	for _, own := range reserved {
		write(t, filepath.Join(root, "b", own), "an artifact called like a page of the server")
		writeManifest(t, root, "b", artifact{Name: own, Kind: "file"})
		if !strings.Contains(get(t, h, "/index.json").Body.String(), `"/b/`+own+`"`) || strings.HasPrefix(get(t, h, "/"+own).Body.String(), "an artifact") {
			t.Errorf("/%s is the artifact, or the index says so", own)
		}
		if w := get(t, h, "/b/"+own); !strings.HasPrefix(w.Body.String(), "an artifact") {
			t.Errorf("/b/%s: %d %q", own, w.Code, w.Body)
		}
	}
}

// TestBuildWhileServing does to the output directory what builds do.
func TestBuildWhileServing(t *testing.T) {
	root := fixture(t)
	h, notes := newHandler(t, root)
	expect := func(path string, code int) *httptest.ResponseRecorder {
		t.Helper()
		w := get(t, h, path)
		if w.Code != code {
			t.Errorf("%s: %d, want %d", path, w.Code, code)
		}
		return w
	}
	expect("/c/new.raw", 404)
	write(t, filepath.Join(root, "c/new.raw"), "new")
	expect("/c/new.raw", 404)
	writeManifest(t, root, "c", artifact{Name: "new.raw", Kind: "file", Size: 3, SHA256: sum("new")})
	expect("/c/new.raw", 200)
	expect("/new.raw", 200)

	// The new file is there, the manifest is still the old one's.
	write(t, filepath.Join(root, "c/new.raw"), "NEW")
	if tag := expect("/c/new.raw", 200).Header().Get("Etag"); strings.Contains(tag, sum("new")) {
		t.Error("the new file has the old one's checksum")
	}
	writeManifest(t, root, "c", artifact{Name: "new.raw", Kind: "file", Size: 3, SHA256: sum("NEW")})
	if tag := expect("/c/new.raw", 200).Header().Get("Etag"); tag != `"`+sum("NEW")+`"` {
		t.Errorf("ETag %s after the build", tag)
	}

	seen := len(*notes)
	write(t, publish.OutputOf(root, "c").Manifest(), "{broken")
	expect("/c/new.raw", 200)
	expect("/c/new.raw", 200)
	if len(*notes) != seen+1 || !strings.Contains((*notes)[seen], "c/manifest.json") {
		t.Errorf("notes after a broken manifest: %q", (*notes)[seen:])
	}
	writeManifest(t, root, "c")
	expect("/c/new.raw", 404)
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	expect("/disk.raw", 404)
	write(t, filepath.Join(root, "c/new.raw"), "after clean")
	writeManifest(t, root, "c", artifact{Name: "new.raw", Kind: "file"})
	expect("/new.raw", 200)
}

func FuzzPath(f *testing.F) {
	for _, path := range strays {
		f.Add(strings.TrimPrefix(path, "/"))
	}
	f.Add("a/repo/config")
	f.Add("tree/usr/inside")
	root := fixture(f)
	h, _ := newHandler(f, root)
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest("GET", "http://host/", nil)
		r.URL.Path = "/" + path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), secret) {
			t.Fatalf("%q gave a secret away", path)
		}
		if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
			t.Fatalf("%q: %d", path, w.Code)
		}
		if names, ok := split(r.URL.Path); ok {
			for _, name := range names {
				if name == "" || name[0] == '.' || strings.ContainsAny(name, "/\x00") {
					t.Fatalf("%q has the name %q", path, name)
				}
			}
		} else if w.Code == http.StatusOK {
			t.Fatalf("%q was served", path)
		}
	})
}
