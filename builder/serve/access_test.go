package serve

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	root := fixture(t)
	h, _ := newHandler(t, root)
	addr, _ := start(t, h)
	if resp, body := fetch(t, "http://"+addr+"/healthz"); resp.StatusCode != 200 || body != "ok\n" {
		t.Errorf("%s %q", resp.Status, body)
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	if resp, body := fetch(t, "http://"+addr+"/healthz"); resp.StatusCode != 503 || strings.Contains(body, root) {
		t.Errorf("%s %q", resp.Status, body)
	}
}

// metric is the value of a line of /metrics.
func metric(t *testing.T, addr, name string) string {
	t.Helper()
	resp, body := fetch(t, "http://"+addr+"/metrics")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != metricsType {
		t.Fatalf("%s %v", resp.Status, resp.Header)
	}
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// hasMetric waits until a line of /metrics has a value: a request is counted after its client has
// the answer.
func hasMetric(t *testing.T, addr, name, want string) {
	t.Helper()
	var got string
	for range 500 {
		if got = metric(t, addr, name); got == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%s is %q, not %q", name, got, want)
}

// TestPulls: machines that pull a commit are counted, and clients that do not are not.
func TestPulls(t *testing.T) {
	root, commits := site(t, "bash 1", "bash 2")
	h, _ := newHandler(t, root)
	addr, _ := start(t, h)
	client := filepath.Join(t.TempDir(), "client")
	for _, args := range [][]string{{"init", "--mode=archive"}, {"remote", "add", "--no-gpg-verify", "main", "http://" + addr + flavourPath("repo")}, {"pull", "main", siteRef}, {"pull", "main", siteRef}} {
		runOSTree(t, append([]string{"--repo=" + client}, args...)...)
	}
	pulls := func(commit string) string {
		return `treewright_commit_pulls_total{flavour="k<b>'$(id)",commit="` + commit + `"}`
	}
	object := "http://" + addr + flavourPath("repo") + "/objects/" + commits[1][:2] + "/" + commits[1][2:] + ".commit"
	if resp, err := http.Head(object); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	if resp, _ := fetch(t, object, "Range", "bytes=1-"); resp.StatusCode != 206 {
		t.Error(resp.Status)
	}
	fetch(t, "http://"+addr+flavourPath("repo")+"/objects/ab/"+strings.Repeat("c", 62)+".commit")
	hasMetric(t, addr, pulls(commits[1]), "1")
	if got := metric(t, addr, pulls("ab"+strings.Repeat("c", 62))); got != "" {
		t.Errorf("%q pulls of what is not there", got)
	}
	for name, want := range map[string]string{
		`treewright_commit_info{flavour="k<b>'$(id)",ref="` + siteRef + `",commit="` + commits[1] + `",version="1.<i>z"}`: "1",
		`treewright_commit_timestamp_seconds{flavour="k<b>'$(id)"}`:                                                       "1700100000",
		`treewright_http_requests_total{code="206"}`:                                                                      "1",
	} {
		hasMetric(t, addr, name, want)
	}
	if got := metric(t, addr, "treewright_http_response_bytes_total"); len(got) < 4 {
		t.Errorf("%s bytes were sent", got)
	}
	if _, page := fetch(t, "http://"+addr+"/"); !strings.Contains(page, "(pulled 1 time since the server was started)") {
		t.Error("the page does not have the pulls")
	}
}

func TestLabel(t *testing.T) {
	if got, want := label("a\"b\\c\nd"), `"a\"b\\c\nd"`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space") }

// lineByLine receives what is written to the access log.
type lineByLine chan string

func (l lineByLine) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// TestAccessLog: a line for each request, in which a client can write nothing of its own.
func TestAccessLog(t *testing.T) {
	h, notes := newHandler(t, fixture(t), "a")
	lines := make(lineByLine, 2)
	h.LogTo(lines)
	addr, stop := start(t, h)
	fetch(t, "http://"+addr+"/disk.raw", "User-Agent", "curl/8", "Referer", "http://x/")
	// The line is written after the client has the answer, so that of the next request could be first.
	log := <-lines
	raw(t, addr, "GET /none%0a\" HTTP/1.0\r\nUser-Agent: a\" \x80\\\r\n\r\n")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	log += <-lines
	want := regexp.MustCompile(`^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /disk\.raw HTTP/1\.1" 200 1000 "http://x/" "curl/8"
127\.0\.0\.1 - - \[[^]]+\] "GET /none%0a\\x22 HTTP/1\.0" 404 10 "-" "a\\x22 \\x80\\x5C"
$`)
	if !want.MatchString(log) {
		t.Errorf("the log is\n%s", log)
	}
	if got := logged("\x1b[2J\n\x7f"); got != `\x1B[2J\x0A\x7F` {
		t.Errorf("a terminal gets %s", got)
	}
	h.LogTo(failing{})
	seen := len(*notes)
	for range 2 {
		if w := get(t, h, "/disk.raw"); w.Code != 200 {
			t.Error(w.Code)
		}
	}
	if len(*notes) != seen+1 || (*notes)[seen] != "writing the access log: no space" {
		t.Errorf("notes %q", (*notes)[seen:])
	}
}
