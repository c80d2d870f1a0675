package build

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/cves"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/treetest"
)

const trackerData = `{"src": {"CVE-2026-0001": {"releases": {"trixie": {"status": "open", "urgency": "high"}}}}}`

// trackers is a server whose answers differ by path; asked returns how often one was asked for.
func trackers(t *testing.T) (url string, asked func(path string) int) {
	t.Helper()
	var mu sync.Mutex
	counts := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		counts[r.URL.Path]++
		switch r.URL.Path {
		case "/right":
			_, _ = io.WriteString(w, trackerData)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		case "/recovers":
			if counts[r.URL.Path] == 1 {
				w.WriteHeader(http.StatusInternalServerError)
			} else {
				_, _ = io.WriteString(w, trackerData)
			}
		case "/short": // fewer bytes than announced
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, trackerData)
		case "/cut": // an end that looks like one to HTTP
			_, _ = io.WriteString(w, trackerData[:len(trackerData)-1])
		case "/page":
			_, _ = io.WriteString(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func(path string) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[path]
	}
}

// TestTrackerURL: data from a URL are whole or an error, and only what may pass is tried
// again.
func TestTrackerURL(t *testing.T) {
	url, asked := trackers(t)
	release := "trixie"
	get := func(path string) ([]distro.Issue, error) {
		client := download.New(download.Timing{Answer: 20 * time.Second, Stall: 20 * time.Second, Pauses: []time.Duration{1, 1}}, nil, func(string) {})
		return trackerAt(t.Context(), client, url+path, func(r io.Reader) ([]distro.Issue, error) {
			return debian.Family{}.Issues(r, release, func(string) bool { return true })
		})
	}
	for _, path := range []string{"/right", "/recovers"} {
		if issues, err := get(path); err != nil || len(issues) != 1 || issues[0].ID != "CVE-2026-0001" {
			t.Errorf("%s: %v, error %v", path, issues, err)
		}
	}
	for path, want := range map[string]struct {
		tries int
		err   string
	}{
		"/absent": {1, "404 Not Found"},
		"/broken": {3, "500 Internal Server Error"},
		"/short":  {3, "the data of the security tracker end in the middle"},
		"/cut":    {3, "the data of the security tracker end in the middle"},
		"/page":   {1, "not the data of Debian's security tracker"},
	} {
		issues, err := get(path)
		if err == nil || len(issues) > 0 || !strings.Contains(err.Error(), want.err) || !strings.Contains(err.Error(), url+path) {
			t.Errorf("%s: %v, error %v, want %s", path, issues, err, want.err)
		}
		if asked(path) != want.tries {
			t.Errorf("%s was asked for %d times, want %d", path, asked(path), want.tries)
		}
	}
	release = "trixy"
	if _, err := get("/right"); err == nil || !strings.Contains(err.Error(), `do not have the release "trixy"`) || asked("/right") != 2 {
		t.Errorf("another release: %v, asked for %d times", err, asked("/right"))
	}
}

// TestCVEsOfURL: the whole way with a URL.
func TestCVEsOfURL(t *testing.T) {
	if !sandbox.Installed("apt-config") {
		treetest.Skip(t, "needs the program apt-config")
	}
	url, _ := trackers(t)
	tree := t.TempDir()
	// A proxy of this machine could not reach the server.
	settings := filepath.Join(tree, "apt.conf")
	if err := os.WriteFile(settings, []byte("Acquire::http::Proxy::127.0.0.1 \"DIRECT\";\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("APT_CONFIG", settings)
	bill := filepath.Join(tree, "small.cdx.json")
	text := `{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "name": "src", "version": "1", "purl": "pkg:deb/debian/src@1?arch=amd64&distro=trixie"}]}`
	if err := os.WriteFile(bill, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(o Options, path string) (*CVEReport, error) {
		o.Tree = tree
		b, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		return b.CVEs(context.Background(), CVERequest{Bills: []string{bill}, Data: url + path, Least: "low", Day: "2026-01-01"}, event.Discard)
	}
	r, err := ask(Options{}, "/right")
	if err != nil || r.Release != "trixie" || len(r.Findings) != 1 || r.Findings[0].State != cves.Open || !r.Failing(false) || r.Failing(true) {
		t.Errorf("%+v, error %v", r, err)
	}
	if _, err := ask(Options{}, "/absent"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("404: %v", err)
	}
	if _, err := ask(Options{Offline: true}, "/right"); err == nil || !strings.Contains(err.Error(), "--offline keeps from asking "+url) {
		t.Errorf("offline: %v", err)
	}
}
