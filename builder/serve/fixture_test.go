package serve

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/publish"
)

// secret is in every file of the fixture that must not be served.
const secret = "SECRET"

var (
	object = "objects/ab/" + strings.Repeat("0", 62)
	disk   = strings.Repeat("0123456789", 100)
)

// fixture makes an output directory with the flavours a and b.
func fixture(t testing.TB) string {
	top := t.TempDir()
	root := filepath.Join(top, "build")
	for name, content := range map[string]string{
		"outside":                                secret,
		"build/.lock":                            secret,
		"build/cache.json":                       secret,
		"build/nomanifest/disk.raw":              secret,
		"build/.private/.hidden/manifest.json":   `{"artifacts":[{"name":"disk.raw","kind":"file"}]}`,
		"build/.hidden/disk.raw":                 secret,
		"build/a/.lock":                          secret,
		"build/a/logs/install.log":               secret,
		"build/.private/a/.lock":                 secret,
		"build/.private/a/logs/install.log":      secret,
		"build/.private/a/persist/disk.raw":      secret,
		"build/old/manifest.json":                `{"artifacts":[{"name":"disk.raw","kind":"file"}]}`,
		"build/old/disk.raw":                     secret,
		"build/a/old.raw":                        secret,
		"build/a/manifest-secret":                secret,
		"build/a/disk.raw":                       disk,
		"build/a/ostree-repo.tar.gz":             "tarball",
		"build/a/repo/config":                    "[core]\nmode=archive\n",
		"build/a/repo/summary":                   "summary 1",
		"build/a/repo/.lock":                     secret,
		"build/a/repo/tmp/x":                     secret,
		"build/a/repo/state/x":                   secret,
		"build/a/repo/refs/heads/main":           strings.Repeat("1", 64) + "\n",
		"build/a/repo/" + object + ".filez":      "object",
		"build/a/repo/" + object + ".commitmeta": "signatures",
		"build/a/repo/deltas/aa/bb/superblock":   "delta",
		"build/a/repo/delta-indexes/aa.index":    "delta index",
		"build/a/tree/usr/bin/tool":              "tool",
		`build/a/tree/usr/dev-a\x2db.device`:     "unit",
		"build/a/tree/usr/page.html":             "<script>",
		"build/a/tree/usr/.hidden":               secret,
		"build/b/disk.raw":                       "disk of b",
		"build/b/only-b.txt":                     "only in b",
	} {
		write(t, filepath.Join(top, name), content)
	}
	for link, target := range map[string]string{
		"a/link.raw":              "old.raw",
		"a/linkdir":               "logs",
		"a/tree/usr/out":          "../../../../outside",
		"a/tree/usr/abs":          filepath.Join(top, "outside"),
		"a/tree/usr/logs":         "../../logs",
		"a/tree/usr/inside":       "bin/tool",
		"a/repo/refs/heads/other": "../../../.lock",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	writeManifest(t, root, "a",
		artifact{Name: "repo", Kind: "repository", Description: "repository <b>"},
		artifact{Name: "disk.raw", Kind: "file", Size: int64(len(disk)), SHA256: sum(disk)},
		artifact{Name: "ostree-repo.tar.gz", Kind: "file", Size: 7, SHA256: sum("tarball")},
		artifact{Name: "gone.raw", Kind: "file", Size: 1, SHA256: sum("x")},
		artifact{Name: "tree", Kind: "directory"},
		// None of these may be served, though they are listed.
		artifact{Name: "link.raw", Kind: "file"},
		artifact{Name: "linkdir", Kind: "directory"},
		artifact{Name: "../outside", Kind: "file"},
		artifact{Name: ".lock", Kind: "file"},
		artifact{Name: "logs/install.log", Kind: "file"},
		artifact{Name: "logs", Kind: "socket"},
		artifact{Name: "a\nb", Kind: "file"},
	)
	writeManifest(t, root, "b",
		artifact{Name: "disk.raw", Kind: "file", Size: 9, SHA256: sum("disk of b")},
		artifact{Name: "only-b.txt", Kind: "file", Size: 9, SHA256: sum("only in b")},
	)
	return root
}

func sum(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

func write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	// As builds do: by rename, and with a constant modification time.
	if err := os.WriteFile(name+".new", []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name+".new", time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func writeManifest(t testing.TB, root, flavour string, artifacts ...artifact) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"flavour": flavour, "artifacts": artifacts})
	if err != nil {
		t.Fatal(err)
	}
	// File times go in steps of the kernel's clock.
	time.Sleep(10 * time.Millisecond)
	write(t, publish.OutputOf(root, flavour).Manifest(), string(raw))
}

func newHandler(t testing.TB, root string, flavours ...string) (*Handler, *[]string) {
	t.Helper()
	notes := &[]string{}
	h, err := New(root, flavours, func(line string) { *notes = append(*notes, line) })
	if err != nil {
		t.Fatal(err)
	}
	return h, notes
}

// ask makes a request; headers come in pairs.
func ask(t testing.TB, h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://host/", nil)
	// As net/http does: URL.Parse would tidy the path up.
	var err error
	if r.URL, err = url.ParseRequestURI(path); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(t testing.TB, h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, h, "GET", path, headers...)
}
