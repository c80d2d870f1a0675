package ostree

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

const (
	repoName    = "debian-repo-amd64"
	archiveName = "ostree-debian-repo-amd64.tar.gz"
)

// named completes names to those that the tests' repositories have.
func named(n Names) Names {
	n.OSName, n.Repo, n.Archive = "debian", repoName, archiveName
	if n.Ref == "" {
		n.Ref = testRef
	}
	return n
}

// pack makes the tarball of a repository, as the archive step does.
func pack(t *testing.T, repo string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Pack(context.Background(), repo, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// remote is an archive server that answers what a test says.
func remote(t *testing.T, answers map[string]http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := answers[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func serve(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(b) }
}

// stalling sends a little, and then nothing more.
func stalling(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "100")
	io.WriteString(w, "a little")
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
}

type historyCase struct {
	output, cache string
	names         Names
}

func find(t *testing.T, c historyCase) (History, error) {
	t.Helper()
	if c.output == "" {
		c.output = t.TempDir()
	}
	if c.cache == "" {
		c.cache = filepath.Join(t.TempDir(), "history")
	}
	return FindHistory(context.Background(), named(c.names), c.output, c.cache, impatient(), Lookout{Records: t.TempDir()})
}

// impatient is a client that tries twice, and does not wait long for what has
// begun.
func impatient() *download.Client {
	return download.New(download.Timing{Answer: 20 * time.Second, Stall: 500 * time.Millisecond, Pauses: []time.Duration{1}}, nil, func(string) {})
}

// wholeHistory is a repository of two commits; it returns the newest one.
func wholeHistory(t *testing.T, dir string) (parent, head string) {
	r := makeRepo(t, dir)
	parent = r.commit(testRef, "", "one", "r1")
	return parent, r.commit(testRef, parent, "two", "r2")
}

func TestNoHistory(t *testing.T) {
	h, err := find(t, historyCase{})
	if err != nil || !reflect.DeepEqual(h, History{}) {
		t.Errorf("nothing local and no archive: %+v, error %v", h, err)
	}
}

func TestHistoryInALocalDirectory(t *testing.T) {
	output := t.TempDir()
	dir := filepath.Join(output, repoName)
	parent, head := wholeHistory(t, dir)
	// The remote is not even asked.
	names := Names{ArchiveURL: "http://127.0.0.1:1"}
	h, err := find(t, historyCase{output: output, names: names})
	if err != nil || h.Repo != dir || h.Head != head || h.Parent != parent || h.Recipe != "r2" || h.From != "the repository "+dir {
		t.Errorf("%+v, error %v", h, err)
	}
	// A ref that the repository does not have begins in that repository.
	h, err = find(t, historyCase{output: output, names: Names{Ref: "debian/other"}})
	if err != nil || h.Repo != dir || h.Head != "" || h.Others[testRef] != head {
		t.Errorf("another ref: %+v, error %v", h, err)
	}
	// Where there is an archive, that takes a word, as a 404 does.
	names.Ref = "debian/other"
	if _, err = find(t, historyCase{output: output, names: names}); err == nil || !strings.Contains(err.Error(), "first_commit") {
		t.Errorf("another ref with an archive: error %v", err)
	}
	names.FirstCommit = true
	if h, err = find(t, historyCase{output: output, names: names}); err != nil || h.Head != "" {
		t.Errorf("another ref, allowed: %+v, error %v", h, err)
	}
}

func TestDamagedLocalHistory(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(dir, head string)
		want  string
	}{
		"damaged ref": {func(dir, _ string) { treetest.Write(t, filepath.Join(dir, "refs/heads", testRef), "rubbish\n") }, "ref " + testRef + " is damaged"},
		"empty ref":   {func(dir, _ string) { treetest.Write(t, filepath.Join(dir, "refs/heads", testRef), "") }, "ref " + testRef + " is damaged"},
		"no refs":     {func(dir, _ string) { os.RemoveAll(filepath.Join(dir, "refs")) }, "has no ref"},
		"no commit":   {func(dir, head string) { os.Remove(filepath.Join(dir, object(head, "commit"))) }, "is damaged: commit "},
		"damaged commit": {
			func(dir, head string) { treetest.Write(t, filepath.Join(dir, object(head, "commit")), "rubbish") }, "has the checksum",
		},
		"no config":       {func(dir, _ string) { os.Remove(filepath.Join(dir, "config")) }, "is not an OSTree repository"},
		"empty directory": {func(dir, _ string) { os.RemoveAll(dir); os.Mkdir(dir, 0o755) }, "is not an OSTree repository"},
		"dangling":        {func(dir, _ string) { os.RemoveAll(dir); os.Symlink("nowhere", dir) }, "no such file"},
	} {
		output := t.TempDir()
		dir := filepath.Join(output, repoName)
		_, head := wholeHistory(t, dir)
		tc.spoil(dir, head)
		// Neither a tarball beside it nor first_commit is an excuse.
		whole := filepath.Join(t.TempDir(), "r")
		wholeHistory(t, whole)
		if err := os.WriteFile(filepath.Join(output, archiveName), pack(t, whole), 0o644); err != nil {
			t.Fatal(err)
		}
		h, err := find(t, historyCase{output: output, names: Names{FirstCommit: true}})
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "look for history: ") {
			t.Errorf("%s: %+v, error %v; want one with %q", name, h, err, tc.want)
		}
	}
}

func TestHistoryInATarball(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "r")
	parent, head := wholeHistory(t, whole)
	packed := pack(t, whole)
	output, cache := t.TempDir(), filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(filepath.Join(output, archiveName), packed, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is unpacked already
		h, err := find(t, historyCase{output: output, cache: cache})
		if err != nil || h.Head != head || h.Parent != parent || h.Recipe != "r2" || !strings.HasPrefix(h.Repo, cache+"/") {
			t.Fatalf("%+v, error %v", h, err)
		}
	}
	for n := range 40 {
		cut := len(packed) * n / 40
		if err := os.WriteFile(filepath.Join(output, archiveName), packed[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if h, err := find(t, historyCase{output: output, cache: cache}); err == nil {
			t.Fatalf("cut off after %d of %d bytes: %+v", cut, len(packed), h)
		} else if !strings.Contains(err.Error(), "is incomplete or damaged") {
			t.Errorf("cut off after %d bytes: error %v", cut, err)
		}
	}
	// One byte of the checksum at the very end.
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-6] ^= 1
	if err := os.WriteFile(filepath.Join(output, archiveName), damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := find(t, historyCase{output: output, cache: cache}); err == nil {
		t.Error("a tarball with a wrong checksum was taken")
	}
	entries, err := os.ReadDir(cache)
	if err != nil || len(entries) != 2 {
		t.Errorf("the cache has %v, error %v; want the one that is whole, and the record of its objects", entries, err)
	}
}

func TestHistoryInTheArchive(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "r")
	parent, head := wholeHistory(t, whole)
	packed := pack(t, whole)
	sum := sha256.Sum256(packed)
	sums := func(sum string) http.HandlerFunc {
		return serve(fmt.Appendf(nil, "%s  other\n%s *%s\n", strings.Repeat("0", 64), sum, archiveName))
	}
	empty := makeRepo(t, filepath.Join(t.TempDir(), "empty"))

	for name, tc := range map[string]struct {
		answers map[string]http.HandlerFunc
		first   bool
		want    string // in the error; "" for none
		none    bool   // no history, and that is fine
	}{
		"200":                          {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed)}, false, "", false},
		"200 and first_commit":         {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed)}, true, "", false},
		"200 and its checksum":         {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed), "/x/SHA256SUMS": sums(hex.EncodeToString(sum[:]))}, false, "", false},
		"404":                          {nil, false, "set first_commit to true", false},
		"404 and first_commit":         {nil, true, "", true},
		"500":                          {map[string]http.HandlerFunc{"/x/" + archiveName: status(500)}, false, "the server answers 500", false},
		"500 and first_commit":         {map[string]http.HandlerFunc{"/x/" + archiveName: status(500)}, true, "the server answers 500", false},
		"403 and first_commit":         {map[string]http.HandlerFunc{"/x/" + archiveName: status(403)}, true, "the server answers 403", false},
		"410 and first_commit":         {map[string]http.HandlerFunc{"/x/" + archiveName: status(410)}, true, "the server answers 410", false},
		"wrong checksum":               {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed), "/x/SHA256SUMS": sums(strings.Repeat("1", 64))}, true, "wrong checksum: SHA-256 is " + hex.EncodeToString(sum[:]), false},
		"checksums that do not answer": {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed), "/x/SHA256SUMS": status(503)}, true, "SHA256SUMS: the server answers 503", false},
		"truncated": {map[string]http.HandlerFunc{"/x/" + archiveName: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(packed)))
			w.Write(packed[:len(packed)/2])
		}}, true, "unexpected EOF", false},
		"the archive stalls":       {map[string]http.HandlerFunc{"/x/" + archiveName: stalling}, true, "the server stopped in the middle", false},
		"the checksums stall":      {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed), "/x/SHA256SUMS": stalling}, true, "SHA256SUMS: the server stopped in the middle", false},
		"checksums of others":      {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed), "/x/SHA256SUMS": serve([]byte(strings.Repeat("0", 64) + "  old/" + archiveName + "\n"))}, true, "it has no SHA-256 of " + archiveName + ", but of [\"old/" + archiveName, false},
		"no list of checksums":     {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed), "/x/SHA256SUMS": serve([]byte("<html>Not found"))}, true, "it is not a list of checksums", false},
		"endless checksums":        {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed), "/x/SHA256SUMS": serve(make([]byte, 2<<20))}, true, "longer than a list of checksums may be", false},
		"a wrong one in BSD style": {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed), "/x/SHA256SUMS": serve([]byte("SHA256 (./" + archiveName + ") = " + strings.Repeat("1", 64) + "\r\n"))}, true, "wrong checksum: SHA-256 is " + hex.EncodeToString(sum[:]), false},
		"truncated on the server":  {map[string]http.HandlerFunc{"/x/" + archiveName: serve(packed[:len(packed)/2])}, true, "is incomplete or damaged", false},
		"nothing":                  {map[string]http.HandlerFunc{"/x/" + archiveName: serve(nil)}, true, "is incomplete or damaged", false},
		"a page that says hello":   {map[string]http.HandlerFunc{"/x/" + archiveName: serve([]byte("<html>hello"))}, true, "is incomplete or damaged", false},
		"a repository without ref": {map[string]http.HandlerFunc{"/x/" + archiveName: serve(pack(t, empty.dir))}, true, "has no ref", false},
	} {
		url := remote(t, tc.answers)
		cache := filepath.Join(t.TempDir(), "history")
		h, err := find(t, historyCase{cache: cache, names: Names{ArchiveURL: url + "/x", FirstCommit: tc.first}})
		switch {
		case tc.want != "":
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), url+"/x/") {
				t.Errorf("%s: %+v, error %v; want one with %q and the URL", name, h, err, tc.want)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.none:
			if !reflect.DeepEqual(h, History{}) {
				t.Errorf("%s: %+v, want none", name, h)
			}
		case h.Head != head || h.Parent != parent || h.From != url+"/x/"+archiveName:
			t.Errorf("%s: %+v", name, h)
		}
		left, _ := filepath.Glob(filepath.Join(cache, ".*"))
		if len(left) > 0 {
			t.Errorf("%s: left: %v", name, left)
		}
	}
}

func TestHistoryUnreachable(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	h, err := find(t, historyCase{names: Names{ArchiveURL: s.URL, FirstCommit: true}})
	if err == nil || !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("%+v, error %v", h, err)
	}
	if _, err := find(t, historyCase{names: Names{ArchiveURL: "http://no-such-host.invalid", FirstCommit: true}}); err == nil {
		t.Error("a name that does not resolve counts as no history")
	}
}

func TestArchiveIsReproducible(t *testing.T) {
	var packed [2][]byte
	for i := range packed {
		dir := filepath.Join(t.TempDir(), "r")
		wholeHistory(t, dir)
		treetest.Write(t, filepath.Join(dir, ".lock"), "")
		treetest.Write(t, filepath.Join(dir, "tmp/cache"), fmt.Sprint(i))
		packed[i] = pack(t, dir)
	}
	if !bytes.Equal(packed[0], packed[1]) {
		t.Error("two archives of one repository differ")
	}
	to := t.TempDir()
	file := filepath.Join(to, "a.tar.gz")
	if err := os.WriteFile(file, packed[0], 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(to, "r")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unpack(file, dir, bounds{bytes: 1 << 30, entries: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"config": true, "summary": true, "refs/heads/" + testRef: true, "tmp": true, "tmp/cache": false, ".lock": false} {
		if got := treefs.Exists(filepath.Join(dir, name)); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
}
