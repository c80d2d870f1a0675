package serve

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/extend"
)

// TestExtendIsOff: without the configuration a server answers like a server for files.
func TestExtendIsOff(t *testing.T) {
	h, _ := newHandler(t, extendable(t))
	addr, _ := start(t, h)
	for _, path := range []string{"/extend", "/a/extend"} {
		c := post(t, addr, path, body(t, commitA, "jq"))
		if c.StatusCode != 405 || c.Header.Get("Allow") != "GET, HEAD" || !strings.HasPrefix(c.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("POST %s: %s %v", path, c.Status, c.Header)
		}
		if w := get(t, h, path); w.Code != 404 {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
	if got := metric(t, addr, "treewright_extend_jobs_running"); got != "" {
		t.Errorf("metrics: %s", got)
	}
}

// TestExtend: a machine asks, hears how far its image is, gets it, and the next one gets the same without a job.
func TestExtend(t *testing.T) {
	addr, f, h, _ := extender(t, nil)
	c := post(t, addr, "/a/extend", body(t, commitA, "tcpdump", "jq", "jq"))
	if c.StatusCode != 200 || c.Header.Get("Content-Type") != extend.ContentType || c.Header.Get("X-Accel-Buffering") != "no" || c.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s %v", c.Status, c.Header)
	}
	job := f.next(t)
	if job.flavour != "a" || fmt.Sprint(job.request) != fmt.Sprint(extend.Request{Commit: commitA, Packages: []string{"jq", "tcpdump"}}) {
		t.Errorf("made for %s: %v", job.flavour, job.request)
	}
	c.until(t, is(extend.Running))
	job.progress(extend.Message{State: extend.Failed, Step: "installing packages", Ended: 1, Steps: 3, Document: "/etc/shadow"})
	if m := c.until(t, func(m extend.Message) bool { return m.Step != "" }); m != (extend.Message{State: extend.Running, Step: "installing packages", Ended: 1, Steps: 3}) {
		t.Errorf("progress: %+v", m)
	}
	job.end <- nil
	m := c.last(t)
	if m.State != extend.Done || m.Document != job.request.DocumentFile() {
		t.Fatalf("ended with %+v", m)
	}
	text := get(t, h, "/a/extend/"+m.Document)
	if d, err := extend.Read(text.Body.Bytes(), job.request); err != nil {
		t.Error(err)
	} else if w := get(t, h, "/extend/"+d.ImageFile()); w.Body.String() != image {
		t.Errorf("the image: %d", w.Code)
	}
	again := post(t, addr, "/extend", body(t, commitA, "jq", "tcpdump"))
	if m := again.last(t); m.State != extend.Done || m.Document != job.request.DocumentFile() {
		t.Errorf("again: %+v", m)
	}
	f.none(t)
	hasMetric(t, addr, `treewright_extend_requests_total{outcome="done"}`, "1")
	hasMetric(t, addr, `treewright_extend_requests_total{outcome="present"}`, "1")
	hasMetric(t, addr, `treewright_extend_jobs_total{outcome="done"}`, "1")
}

// TestExtendRenews: an image that is not fresh any more, or was made in the future, is made again for a machine that asks for it, unless its packages are
// not allowed (any more).
func TestExtendRenews(t *testing.T) {
	addr, f, h, _ := extender(t, func(r *config.Extend, e *extending) { r.Packages = []string{"jq"} })
	for _, name := range []string{"jq", "nano"} {
		publishImage(t, h.root, "a", extend.Request{Commit: commitA, Packages: []string{name}})
	}
	if m := post(t, addr, "/extend", body(t, commitA, "nano")).last(t); m.State != extend.Done {
		t.Errorf("not allowed, and published just now: %+v", m)
	}
	for _, age := range []time.Duration{fresh + time.Minute, -time.Hour} {
		for _, name := range []string{"jq", "nano"} {
			r := extend.Request{Commit: commitA, Packages: []string{name}}
			made := time.Now().Add(-age)
			if err := os.Chtimes(filepath.Join(h.root, "a", extend.Dir, r.DocumentFile()), made, made); err != nil {
				t.Fatal(err)
			}
		}
		if m := post(t, addr, "/extend", body(t, commitA, "nano")).last(t); m.Failure == nil || m.Failure.Reason != extend.NotAllowed {
			t.Errorf("not allowed, and published long ago: %+v", m)
		}
		f.none(t)
		c := post(t, addr, "/extend", body(t, commitA, "jq"))
		job := f.next(t)
		job.end <- nil
		if m := c.last(t); m.State != extend.Done {
			t.Errorf("made again: %+v", m)
		}
	}
	if m := post(t, addr, "/extend", body(t, commitA, "jq")).last(t); m.State != extend.Done {
		t.Errorf("just made: %+v", m)
	}
	f.none(t)
}

// TestExtendFindsTheFlavour: a request without the name of a flavour is for the flavour that has the commit.
func TestExtendFindsTheFlavour(t *testing.T) {
	addr, f, _, _ := extender(t, nil)
	post(t, addr, "/extend", body(t, commitB, "jq"))
	if job := f.next(t); job.flavour != "b" {
		t.Errorf("made for %s", job.flavour)
	}
}

// TestExtendRefuses: the server does not make jobs for some requests.
func TestExtendRefuses(t *testing.T) {
	addr, f, h, _ := extender(t, func(r *config.Extend, _ *extending) {
		r.Packages, r.MostPackages = []string{"jq", "vim*", "lib[a-c]?"}, 3
	})
	made := extend.Request{Commit: commitA, Packages: []string{"made-before"}}
	publishImage(t, h.root, "a", made)
	type want struct {
		code   int
		reason extend.Reason
		text   string
	}
	bad := func(text string) want { return want{400, extend.BadRequest, text} }
	for _, c := range []struct {
		path, body string
		want       want
		header     []string
	}{
		{"/extend", body(t, commitA, "nano"), want{403, extend.NotAllowed, "with nano:"}, nil},
		{"/extend", body(t, commitA, "jq", "neovim", "libax"), want{403, extend.NotAllowed, "with neovim:"}, nil},
		{"/extend", body(t, commitA, "jq", "vim", "vim-tiny", "libax"), want{403, extend.NotAllowed, "4 packages are asked for; 3 is the limit of this server"}, nil},
		{"/extend", body(t, strings.Repeat("9", 64), "jq"), want{404, extend.UnknownCommit, "commit 999999999999 is not in"}, nil},
		{"/extend", body(t, half, "jq"), want{404, extend.UnknownCommit, ""}, nil},
		{"/b/extend", body(t, commitA, "jq"), want{404, extend.UnknownCommit, ""}, nil},
		{"/nothing/extend", body(t, commitA, "jq"), want{404, extend.UnknownCommit, ""}, nil},
		{"/extend", "", bad("cannot be read"), nil},
		{"/extend", "jq", bad("cannot be read"), nil},
		{"/extend", `["jq"]`, bad("cannot be read"), nil},
		{"/extend", body(t, commitA, "jq") + "{}", bad("something after"), nil},
		{"/extend", `{"commit":"` + commitA + `","packages":["jq"],"pool":"x"}`, bad(`unknown field "pool"`), nil},
		{"/extend", body(t, commitA), bad("no package"), nil},
		{"/extend", body(t, "../../etc", "jq"), bad("checksum"), nil},
		{"/extend", body(t, commitA, "../../etc/passwd"), bad("not the name of a package"), nil},
		{"/extend", body(t, commitA, "jq; reboot"), bad("not the name"), nil},
		{"/extend", body(t, commitA, "-oDir::Bin=/x"), bad("not the name"), nil},
		{"/extend", body(t, commitA, "jq\x00"), bad("not the name"), nil},
		{"/extend", body(t, commitA, "jq\n"), bad("not the name"), nil},
		{"/extend", body(t, commitA, strings.Repeat("a", 1000)), bad("not the name"), nil},
		{"/extend", body(t, commitA, "jq"), want{415, extend.BadRequest, "application/json"}, []string{"Content-Type", "text/plain"}},
		{"/extend", body(t, commitA, "jq"), want{415, extend.BadRequest, ""}, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"/extend", body(t, commitA, strings.Repeat("a", mostAsked)), want{413, extend.BadRequest, "65536 bytes"}, nil},
	} {
		got := post(t, addr, c.path, c.body, c.header...)
		failure := got.failure(t)
		if got.StatusCode != c.want.code || failure.Reason != c.want.reason || !strings.Contains(failure.Text, c.want.text) || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %.80s: %s %+v", c.path, c.body, got.Status, failure)
		}
	}
	f.none(t)
	// An image that exists does not need to be allowed: any client can get it.
	if m := post(t, addr, "/extend", body(t, commitA, "made-before")).last(t); m.State != extend.Done {
		t.Errorf("made before: %+v", m)
	}
	post(t, addr, "/extend", body(t, commitA, "jq", "vim-tiny", "libax"))
	f.next(t)
}

// TestExtendMethods: the server takes requests for images by POST only.
func TestExtendMethods(t *testing.T) {
	addr, f, h, _ := extender(t, nil)
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post"} {
		for _, path := range []string{"/extend", "/a/extend"} {
			if w := ask(t, h, method, path); w.Code != 405 || w.Header().Get("Allow") != "POST" {
				t.Errorf("%s %s: %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	for _, path := range []string{"/", "/extend/", "/a/extend/", "/a/b/extend", "/a/repo/config", "/extend/extend", "/healthz", "/%2e%2e/extend", "/.private/extend", "/%00/extend"} {
		w := ask(t, h, "POST", path, "Content-Type", "application/json")
		if w.Code == 200 || w.Code != 405 && w.Code != 400 && w.Code != 404 {
			t.Errorf("POST %s: %d", path, w.Code)
		}
	}
	f.none(t)
	_ = addr
}

// TestExtendLargeBody: a body that is far too large is not read, with and without its length.
func TestExtendLargeBody(t *testing.T) {
	addr, f, _, _ := extender(t, nil)
	for _, chunked := range []bool{false, true} {
		var large io.Reader = strings.NewReader(body(t, commitA, strings.Repeat("a", 10<<20)))
		if chunked {
			large = struct{ io.Reader }{large}
		}
		response, err := http.Post("http://"+addr+"/extend", "application/json", large)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 413 {
			t.Errorf("chunked %v: %s", chunked, response.Status)
		}
	}
	f.none(t)
}

// TestExtendSlowBody: the server does not wait for a client that does not send the announced body. It does not cut off a client that
// listens for longer than it may send.
func TestExtendSlowBody(t *testing.T) {
	root := extendable(t)
	h, _ := newHandler(t, root)
	f := &fakeExtender{t, root, make(chan *call, 100)}
	defer h.Extend(t.Context(), f, &config.Extend{Packages: []string{"*"}, Jobs: 1, Queue: 1, MostPackages: 1, Timeout: time.Hour})()
	server := httptest.NewUnstartedServer(h)
	const limit = 500 * time.Millisecond
	server.Config.ReadTimeout = limit
	server.Start()
	defer server.Close()
	addr := server.Listener.Addr().String()
	for _, header := range []string{"Content-Type: application/json\r\n", ""} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /extend HTTP/1.1\r\nHost: x\r\n%sContent-Length: 1000\r\n\r\n{", header)
		answer, err := io.ReadAll(conn) // until the server has closed the connection
		if want := map[bool]string{true: " 408 ", false: " 415 "}[header != ""]; err != nil || !strings.Contains(string(answer), want) {
			t.Errorf("%q: %s %v", header, answer, err)
		}
	}
	c := post(t, addr, "/extend", body(t, commitA, "jq"))
	job := f.next(t)
	time.Sleep(2 * limit)
	job.end <- nil
	if m := c.last(t); m.State != extend.Done {
		t.Errorf("ended with %+v", m)
	}
}

// TestExtendRepeats: a client, and web servers on the way, see that the server still runs.
func TestExtendRepeats(t *testing.T) {
	addr, f, _, _ := extender(t, func(_ *config.Extend, e *extending) { e.repeat = time.Millisecond })
	c := post(t, addr, "/extend", body(t, commitA, "jq"))
	job := f.next(t)
	job.progress(extend.Message{Step: "downloading"})
	for range 5 {
		c.until(t, func(m extend.Message) bool { return m.Step == "downloading" })
	}
}

// TestExtendFailures: faults of the request are passed on, and others stay on the server.
func TestExtendFailures(t *testing.T) {
	addr, f, _, _ := extender(t, nil)
	for _, c := range []struct {
		err  error
		want extend.Failure
	}{
		{fmt.Errorf("extend a: %w", &extend.Failure{Reason: extend.Unfit, Text: "linux-image-amd64 is a kernel"}), extend.Failure{Reason: extend.Unfit, Text: "linux-image-amd64 is a kernel"}},
		{fmt.Errorf("open /srv/secret: no space"), extend.Failure{Reason: extend.Internal, Text: "the image could not be made; the log of the server has the reason"}},
	} {
		client := post(t, addr, "/extend", body(t, commitA, "jq"))
		f.next(t).end <- c.err
		if m := client.last(t); m.State != extend.Failed || m.Failure == nil || *m.Failure != c.want {
			t.Errorf("%v: %+v %v", c.err, m, m.Failure)
		}
	}
	hasMetric(t, addr, `treewright_extend_jobs_total{outcome="unfit"}`, "1")
	hasMetric(t, addr, `treewright_extend_requests_total{outcome="internal"}`, "1")
}

// TestExtendedButNotThere: an image that cannot be found is not announced.
func TestExtendedButNotThere(t *testing.T) {
	addr, f, h, _ := extender(t, nil)
	client := post(t, addr, "/extend", body(t, commitA, "jq"))
	job := f.next(t)
	f.root = filepath.Join(h.root, "elsewhere")
	job.end <- nil
	if m := client.last(t); m.State != extend.Failed || m.Failure.Reason != extend.Internal {
		t.Errorf("ended with %+v", m)
	}
}

// TestAddress: the server distinguishes clients that come through a web server on this machine, and other clients cannot choose an address.
func TestAddress(t *testing.T) {
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:1234", "", "192.0.2.1"},
		{"192.0.2.1:1234", "198.51.100.1", "192.0.2.1"},
		{"127.0.0.1:1234", "198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:1234", "203.0.113.9, 198.51.100.1", "198.51.100.1"},
		{"[::1]:1234", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"[::ffff:192.0.2.1]:1234", "", "192.0.2.1"},
		{"[2001:db8:1:2:ffff::1]:1", "", "2001:db8:1:2::/64"},
		{"127.0.0.1:1234", "unknown", "127.0.0.1"},
		{"@", "", "@"},
	} {
		r := httptest.NewRequest("POST", "/extend", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := addressOf(r); got != c.want {
			t.Errorf("%s for %s is %s", c.remote, c.forwarded, got)
		}
	}
}

// FuzzParseAsked: whatever a client sends, only checked names come out, each once.
func FuzzParseAsked(f *testing.F) {
	for _, seed := range []string{body(f, commitA, "jq", "g++"), `{"commit":"x"}`, `{}`, `null`, `[]`, body(f, commitA, "../x"), `{"packages":["jq"],"PACKAGES":["-x"],"commit":"` + commitA + `"}`, body(f, commitA, "jq") + " x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		asked, err := parseAsked(text)
		if err != nil {
			return
		}
		if err := asked.Check(); err != nil {
			t.Fatalf("%q is accepted: %v", text, err)
		}
		for i, name := range asked.Packages {
			if strings.ContainsAny(name, "/\x00 \n=:%") || name[0] == '-' || name[0] == '.' || i > 0 && name <= asked.Packages[i-1] {
				t.Errorf("%q is accepted with %q", text, asked.Packages)
			}
		}
		if again, err := json.Marshal(asked); err != nil {
			t.Error(err)
		} else if same, err := parseAsked(again); err != nil || same.DocumentFile() != asked.DocumentFile() {
			t.Errorf("%s is another request: %v", again, err)
		}
	})
}
