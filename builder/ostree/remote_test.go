package ostree

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/treetest"
)

// serveDir serves a directory, and returns its URL and which files were asked for.
func serveDir(t *testing.T, dir string) (string, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, strings.TrimPrefix(r.URL.Path, "/"))
		mu.Unlock()
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string{}, asked...)
	}
}

// once is a client that tries once.
func once() *download.Client { return download.New(download.Once, nil, func(string) {}) }

// TestRemote compares two commits over HTTP: what is equal is not fetched.
func TestRemote(t *testing.T) {
	r := makeReal(t)
	url, asked := serveDir(t, r.dir)
	remote, err := OpenRemote(context.Background(), once(), url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	refs, err := remote.Refs()
	if want := map[string]string{testRef: r.head}; err != nil || !maps.Equal(refs, want) {
		t.Errorf("refs %v, %v", refs, err)
	}
	if head, err := remote.Head(testRef); err != nil || head != r.head {
		t.Errorf("head %q, %v", head, err)
	}
	for _, ref := range []string{"debian/none", "", "../config", "a/../b"} {
		if head, err := remote.Head(ref); err != nil || head != "" {
			t.Errorf("ref %q: %q, %v", ref, head, err)
		}
	}
	trees := map[string]Tree{}
	for _, sum := range []string{r.first, r.head} {
		c, err := ReadCommit(remote, sum)
		if err != nil {
			t.Fatal(err)
		}
		trees[sum] = TreeOf(remote, c)
	}
	changes, err := Compare(trees[r.first], trees[r.head])
	if err != nil || len(changes) != 1 || changes[0].Path != "usr/etc/built-at" {
		t.Errorf("%+v, %v", changes, err)
	}
	for _, name := range asked() {
		if strings.HasSuffix(name, ".filez") {
			t.Errorf("a file was fetched: %s", name)
		}
	}
	if text, err := trees[r.head].ReadFile("usr/etc/built-at", 100); err != nil || string(text) != "two\n" {
		t.Errorf("%q, %v", text, err)
	}
	// What is on this disk is not fetched.
	before := len(asked())
	near := Repository{dir: r.dir}
	remote, err = OpenRemote(context.Background(), once(), url, &near)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ReadCommit(remote, r.head)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TreeOf(remote, c).ReadFile("usr/etc/built-at", 100); err != nil || len(asked()) != before+1 {
		t.Errorf("%v, %q", err, asked()[before:])
	}
}

// TestRemoteRefuses: what a server sends is checked.
func TestRemoteRefuses(t *testing.T) {
	r := makeReal(t)
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	url, _ := serveDir(t, dir)
	open := func() *Remote {
		t.Helper()
		remote, err := OpenRemote(context.Background(), once(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return remote
	}
	remote := open()
	c, err := ReadCommit(remote, r.head)
	if err != nil {
		t.Fatal(err)
	}
	tree := TreeOf(remote, c)
	e, err := tree.Lookup("usr/etc/built-at")
	if err != nil {
		t.Fatal(err)
	}
	other, err := tree.Lookup("usr/etc/group")
	if err != nil {
		t.Fatal(err)
	}
	// Another object in place of one.
	content := treetest.Content(t, filepath.Join(dir, object(other.Sum, "filez")))
	treetest.Write(t, filepath.Join(dir, object(e.Sum, "filez")), content)
	if _, err := tree.Stat(e); err == nil || !strings.Contains(err.Error(), "is damaged: file "+e.Sum) {
		t.Errorf("another file: %v", err)
	}
	treetest.Write(t, filepath.Join(dir, object(r.head, "commit")), treetest.Content(t, filepath.Join(dir, object(r.first, "commit"))))
	if _, err := ReadCommit(open(), r.head); err == nil || !strings.Contains(err.Error(), "is damaged: the object of commit "+r.head) {
		t.Errorf("another commit: %v", err)
	}
	treetest.Write(t, filepath.Join(dir, "refs/heads/bad"), "rubbish\x1b\n")
	if _, err := open().Head("bad"); err == nil || !strings.Contains(err.Error(), `ref bad is damaged: it has the content "rubbish\x1b"`) {
		t.Errorf("a damaged ref: %v", err)
	}
	treetest.Write(t, filepath.Join(dir, "summary"), "rubbish")
	if _, err := open().Refs(); err == nil || !strings.Contains(err.Error(), "not the summary") {
		t.Errorf("a damaged summary: %v", err)
	}
	for config, want := range map[string]string{
		"[core]\nmode=bare\n": `of mode "bare", not archive`, "hello\n": "its config has no mode", "": "has no file config (404)",
	} {
		treetest.Write(t, filepath.Join(dir, "config"), config)
		if config == "" {
			if err := os.Remove(filepath.Join(dir, "config")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := OpenRemote(context.Background(), once(), url, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("config %q: %v", config, err)
		}
	}
}

// TestHeadOfNoRef: what cannot be a ref, or is a part of one or more than one, is not there.
func TestHeadOfNoRef(t *testing.T) {
	r := makeRepo(t, t.TempDir())
	head := r.commit(testRef, "", "one", "r1")
	repo := Repository{dir: r.dir}
	if got, err := repo.Head(testRef); err != nil || got != head {
		t.Errorf("%s: %q, %v", testRef, got, err)
	}
	for _, ref := range []string{"", "debian", testRef + "/x", "debian/none", "../../config", "/" + testRef} {
		if got, err := repo.Head(ref); err != nil || got != "" {
			t.Errorf("%q: %q, %v", ref, got, err)
		}
	}
}

// TestAbbreviated finds commits by the beginning of their checksums.
func TestAbbreviated(t *testing.T) {
	r := makeRepo(t, t.TempDir())
	one := r.commit(testRef, "", "one", "r1")
	repo := Repository{dir: r.dir}
	for _, n := range []int{4, 10, 64} {
		if sum, err := repo.Abbreviated(one[:n]); err != nil || sum != one {
			t.Errorf("%d digits: %q, %v", n, sum, err)
		}
	}
	twin := one[:12] + strings.Repeat("0", 52)
	r.write(object(twin, "commit"), "x")
	if _, err := repo.Abbreviated(one[:12]); err == nil || !strings.Contains(err.Error(), "2 commits begin with "+one[:12]+": ") || !strings.Contains(err.Error(), twin) {
		t.Errorf("ambiguous: %v", err)
	}
	for _, bad := range []string{"", "abc", "xyz1", "../../etc", strings.Repeat("a", 65), "fffffffff"} {
		if sum, err := repo.Abbreviated(bad); err == nil {
			t.Errorf("%q is %s", bad, sum)
		}
	}
}
