package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/extend"
)

// Commits of the flavours a and b of extendable.
var (
	commitA = strings.Repeat("1a", 32)
	commitB = strings.Repeat("2b", 32)
	half    = strings.Repeat("3c", 32) // a partial commit of a
)

const image = "the image, which has some bytes"

// extendable makes an output directory with the flavours a and b, which have a repository each.
func extendable(t testing.TB) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "build")
	object := func(sum string) string { return "repo/objects/" + sum[:2] + "/" + sum[2:] + ".commit" }
	for name, content := range map[string]string{
		"../outside": secret, "a/" + object(commitA): "commit", "b/" + object(commitB): "commit",
		"a/" + object(half): "commit", "a/repo/state/" + half + ".commitpartial": "",
	} {
		write(t, filepath.Join(root, name), content)
	}
	for _, f := range []string{"a", "b"} {
		writeManifest(t, root, f, artifact{Name: "repo", Kind: "repository"})
	}
	return root
}

// publishImage puts the image of a request where builds put it.
func publishImage(t testing.TB, root, flavour string, r extend.Request) *extend.Document {
	t.Helper()
	d := &extend.Document{Request: r.Sorted(), Arch: "amd64", Size: int64(len(image)), SHA256: sum(image)}
	text, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, flavour, extend.Dir)
	write(t, filepath.Join(dir, d.ImageFile()), image)
	write(t, filepath.Join(dir, r.DocumentFile()), string(text))
	if err := os.Chtimes(filepath.Join(dir, r.DocumentFile()), time.Time{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return d
}

// call is an image that a fakeExtender is to make.
type call struct {
	ctx      context.Context
	flavour  string
	request  extend.Request
	progress func(extend.Message)
	end      chan error
}

// fakeExtender hands its calls to the test, and publishes the images that the test ends without an error.
type fakeExtender struct {
	t     testing.TB
	root  string
	calls chan *call
}

// Extend implements [Extender].
func (f *fakeExtender) Extend(ctx context.Context, flavour string, r extend.Request, progress func(extend.Message)) error {
	c := &call{ctx, flavour, r, progress, make(chan error)}
	f.calls <- c
	select {
	case err := <-c.end:
		if err == nil {
			publishImage(f.t, f.root, flavour, r)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next is the next call.
func (f *fakeExtender) next(t testing.TB) *call {
	t.Helper()
	select {
	case c := <-f.calls:
		return c
	case <-time.After(20 * time.Second):
		t.Fatal("no job began")
		return nil
	}
}

// none fails if a job began for which the test did not ask.
func (f *fakeExtender) none(t testing.TB) {
	t.Helper()
	select {
	case c := <-f.calls:
		t.Errorf("%v was made again", c.request.Packages)
	default:
	}
}

// extending starts a server of extendable that makes images, with rules that change may change.
func extender(t testing.TB, change func(r *config.Extend, e *extending)) (addr string, f *fakeExtender, h *Handler, stop func()) {
	t.Helper()
	root := extendable(t)
	h, _ = newHandler(t, root)
	f = &fakeExtender{t, root, make(chan *call, 100)}
	rules := &config.Extend{Packages: []string{"*"}, Jobs: 1, Queue: 20, MostPackages: 50, Timeout: time.Hour}
	stop = h.Extend(t.Context(), f, rules)
	if change != nil {
		change(rules, h.extending)
		h.extending.queue.jobs, h.extending.queue.most, h.extending.queue.timeout = rules.Jobs, rules.Queue, rules.Timeout
	}
	addr, _ = start(t, h)
	t.Cleanup(stop)
	return addr, f, h, stop
}

func body(t testing.TB, commit string, packages ...string) string {
	t.Helper()
	text, err := json.Marshal(extend.Request{Commit: commit, Packages: packages})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// client is a client that asks for an image.
type client struct {
	*http.Response
	lines *bufio.Scanner
	leave func()
}

// post asks for an image; headers come in pairs.
func post(t testing.TB, addr, path, body string, headers ...string) *client {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); response.Body.Close() })
	return &client{response, bufio.NewScanner(response.Body), cancel}
}

// from makes a client come from another address.
func from(address string) []string { return []string{"X-Forwarded-For", address} }

// message is the next line of an answer.
func (c *client) message(t testing.TB) (m extend.Message) {
	t.Helper()
	if !c.lines.Scan() {
		t.Fatalf("the answer ended: %v", c.lines.Err())
	}
	if err := json.Unmarshal(c.lines.Bytes(), &m); err != nil {
		t.Fatalf("%s: %v", c.lines.Bytes(), err)
	}
	return m
}

// until reads messages until the wanted one.
func (c *client) until(t testing.TB, want func(extend.Message) bool) extend.Message {
	t.Helper()
	for {
		if m := c.message(t); want(m) {
			return m
		} else if over(m) {
			t.Fatalf("it ended with %+v %v", m, m.Failure)
		}
	}
}

// last is the last message.
func (c *client) last(t testing.TB) extend.Message {
	t.Helper()
	m := c.until(t, over)
	if c.lines.Scan() {
		t.Errorf("after the last message there is %s", c.lines.Bytes())
	}
	return m
}

func is(state extend.State) func(extend.Message) bool {
	return func(m extend.Message) bool { return m.State == state }
}

// failure is the body of an answer that is not a stream.
func (c *client) failure(t testing.TB) (f extend.Failure) {
	t.Helper()
	var m extend.Message
	if err := json.NewDecoder(c.Body).Decode(&m); err != nil || m.State != extend.Failed || m.Failure == nil {
		t.Fatalf("%+v %v", m, err)
	}
	return *m.Failure
}

func remove(t testing.TB, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}
