package vm

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/extend"
)

// TestImageServer: a machine reaches the server by an outlet, and gets from it the answers that the test chooses.
func TestImageServer(t *testing.T) {
	commit := strings.Repeat("a", 64)
	image := strings.Repeat("image ", 100)
	s := imageServer{dir: t.TempDir(), handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(image))
	})}
	addr, err := freePort(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := (Outlet{addr, serverSocket}).open(t.Context(), s.dir); err != nil {
		t.Fatal(err)
	}
	at := "http://" + addr + "/extend/" + commit + "/x.raw"
	get := func(ctx context.Context) string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return "no answer"
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	post := func() int {
		resp, err := http.Post("http://"+addr+"/extend", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	want := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %.20q, want %.20q", got, want)
		}
	}

	want(get(t.Context()), "no answer")
	for range 2 {
		if err := s.up(); err != nil {
			t.Fatal(err)
		}
		want(get(t.Context()), image)
	}
	s.filesOnly(true)
	if code := post(); code != http.StatusMethodNotAllowed {
		t.Errorf("a server of files answers a post with %d", code)
	}
	want(get(t.Context()), image)
	s.filesOnly(false)
	if code := post(); code != http.StatusOK {
		t.Errorf("a post is answered with %d", code)
	}

	// Half of an image, until the machine has gone; the next one is whole.
	stalled := s.stall(commit)
	ctx, leave := context.WithCancel(t.Context())
	got := make(chan string)
	go func() { got <- get(ctx) }()
	<-stalled
	leave()
	if half := <-got; len(half) >= len(image) {
		t.Errorf("%d bytes of an image of %d", len(half), len(image))
	}
	want(get(t.Context()), image)

	for range 2 {
		if err := s.down(); err != nil {
			t.Fatal(err)
		}
		want(get(t.Context()), "no answer")
	}
	if err := s.up(); err != nil {
		t.Fatal(err)
	}
	want(get(t.Context()), image)
	if err := s.down(); err != nil {
		t.Fatal(err)
	}
}

// freePort returns an address that is not in use.
func freePort(t *testing.T) (string, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// TestProxy: the machine gets packages from its mirrors, and nothing else.
func TestProxy(t *testing.T) {
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "package "+r.URL.Path) }))
	defer mirror.Close()
	host := strings.TrimPrefix(mirror.URL, "http://")
	p := httptest.NewServer(proxy([]string{host}))
	defer p.Close()
	by, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(by)}}
	for at, want := range map[string]string{
		mirror.URL + "/debian/x.deb": "200 package /debian/x.deb",
		"http://example.org/x":       "403 this machine can reach the sources of its packages only\n",
	} {
		resp, err := client.Get(at)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := resp.Status[:4] + string(text); got != want {
			t.Errorf("%s: %q", at, got)
		}
	}
	if resp, err := client.Post(mirror.URL, "text/plain", nil); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a post: %v, %v", resp, err)
	}
}

// TestSameAsServer: another image, and another list of packages, are reported.
func TestSameAsServer(t *testing.T) {
	p := &Packages{From: strings.Repeat("a", 64), Images: t.TempDir()}
	d := &extend.Document{Request: extend.Request{Commit: p.From, Packages: []string{aCommand}}, Size: 5, SHA256: strings.Repeat("b", 64)}
	text, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(p.Images, p.From), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{d.DocumentFile(): string(text), d.ImageFile(): "12345"} {
		if err := os.WriteFile(filepath.Join(p.Images, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.sameAsServer(string(text)); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{{`"sha256": "b`, `"sha256": "c`}, {`"added": null`, `"added": [{"name": "jq"}]`}} {
		if err := p.sameAsServer(strings.Replace(string(text), change[0], change[1], 1)); err == nil {
			t.Errorf("%s is taken for the same", change[1])
		}
	}
	for _, want := range []string{"12\xcc45", "12345"} {
		if err := p.flip(d); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(filepath.Join(p.Images, d.ImageFile())); string(got) != want {
			t.Errorf("the image is %q, not %q", got, want)
		}
	}
}
