package download

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// soon waits for nothing long, and tries four times.
var soon = Timing{Answer: 300 * time.Millisecond, Stall: 300 * time.Millisecond, Pauses: []time.Duration{1, 2, 3}}

// relaxed tries as often, and waits as long as a busy machine takes.
var relaxed = Timing{Answer: 20 * time.Second, Stall: 20 * time.Second, Pauses: soon.Pauses}

func client(t Timing) *Client { return New(t, nil, func(string) {}) }

// get downloads in one try.
func (c *Client) get(ctx context.Context, source string) ([]byte, error) {
	body, err := c.Open(ctx, source)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// raw is a server that does with a connection what a test says.
func raw(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				do(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// asked reads a request: net/http takes an answer that comes before for a fault.
func asked(conn net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(conn)) }

// hold reads what comes until the other side goes.
func hold(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// TestStalls: wherever a server stops, the download ends, with the reason.
func TestStalls(t *testing.T) {
	says := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			asked(conn)
			fmt.Fprint(conn, text)
			hold(conn)
		}
	}
	drips := func(conn net.Conn) {
		asked(conn)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
		for {
			if _, err := conn.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	const noAnswer, stopped = "no answer within 300ms", "the server stopped in the middle: almost no data came for 300ms"
	for name, tc := range map[string]struct {
		scheme string
		do     func(net.Conn)
		want   string
	}{
		"after the connection": {"http", hold, noAnswer},
		"in TLS":               {"https", hold, noAnswer},
		"in the header":        {"http", says("HTTP/1.1 200 OK\r\nContent-Le"), noAnswer},
		"after the header":     {"http", says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), stopped},
		"in the body":          {"http", says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), stopped},
		"between chunks":       {"http", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"), stopped},
		"never, but drips":     {"http", drips, stopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timing := soon
			if tc.want == stopped {
				timing.Answer = relaxed.Answer
			}
			_, err := client(timing).get(t.Context(), tc.scheme+"://"+raw(t, tc.do)+"/x")
			if err == nil || err.Error() != tc.want {
				t.Errorf("error %v, want %s", err, tc.want)
			}
			if Lasting(err) {
				t.Error("a stall counts as lasting")
			}
		})
	}
	t.Run("a proxy", func(t *testing.T) {
		proxy := &url.URL{Scheme: "http", Host: raw(t, hold)}
		c := New(soon, http.ProxyURL(proxy), func(string) {})
		if _, err := c.get(t.Context(), "https://example.invalid/x"); err == nil || err.Error() != noAnswer {
			t.Errorf("error %v", err)
		}
	})
}

// TestSlowIsNoStall: a download that takes longer than a stall, but goes on, is fine.
func TestSlowIsNoStall(t *testing.T) {
	part := bytes.Repeat([]byte("x"), 4<<10)
	at := raw(t, func(conn net.Conn) {
		asked(conn)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 30*len(part))
		for range 30 {
			conn.Write(part)
			time.Sleep(50 * time.Millisecond)
		}
		hold(conn)
	})
	patient := Timing{Answer: 20 * time.Second, Stall: time.Second}
	if got, err := client(patient).get(t.Context(), "http://"+at+"/x"); err != nil || len(got) != 30*len(part) {
		t.Errorf("%d bytes, error %v", len(got), err)
	}
}

func TestCancel(t *testing.T) {
	at := raw(t, func(conn net.Conn) {
		asked(conn)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
		hold(conn)
	})
	why := errors.New("the user has enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	c := client(Patient)
	err := c.Try(ctx, "x", func() error { _, err := c.get(ctx, "http://"+at+"/x"); return err })
	if !errors.Is(err, why) {
		t.Errorf("in the body: error %v", err)
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	c = New(Timing{Pauses: []time.Duration{time.Hour}}, nil, func(string) { cancel(why) })
	if err := c.Try(ctx, "x", func() error { return errors.New("no") }); !errors.Is(err, why) {
		t.Errorf("in a pause: error %v", err)
	}
}

// TestTries: what may pass is tried as often as said, what lasts once, and what
// is doubtful a few times; all but the last are told.
func TestTries(t *testing.T) {
	answers := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "half")
	}
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		mark   func(error) error
		tries  int32
	}{
		"500": {answers(500), nil, 4}, "502": {answers(502), nil, 4}, "503": {answers(503), nil, 4}, "504": {answers(504), nil, 4},
		"408": {answers(408), nil, 4}, "425": {answers(425), nil, 4}, "429": {answers(429), nil, 4},
		"400": {answers(400), nil, 1}, "401": {answers(401), nil, 1}, "403": {answers(403), nil, 1}, "404": {answers(404), nil, 1},
		"410": {answers(410), nil, 1}, "501": {answers(501), nil, 1}, "206": {answers(206), nil, 1}, "304": {answers(304), nil, 1},
		"cut short": {cut, nil, 4},
		"a reset": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}, nil, 4},
		"doubtful":  {answers(500), Doubtful, 3},
		"permanent": {answers(500), Permanent, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				tc.answer(w, r)
			}))
			defer s.Close()
			var said []string
			c := New(relaxed, nil, func(line string) { said = append(said, line) })
			err := c.Try(t.Context(), "get it", func() error {
				// A new connection each time: net/http repeats by itself on an old one.
				c.http.CloseIdleConnections()
				_, err := c.get(t.Context(), s.URL)
				if err != nil && tc.mark != nil {
					err = tc.mark(err)
				}
				return err
			})
			if err == nil || tries.Load() != tc.tries || len(said) != int(tc.tries)-1 {
				t.Errorf("%d tries, want %d; said %q; error %v", tries.Load(), tc.tries, said, err)
			}
			for i, line := range said {
				if !strings.HasPrefix(line, fmt.Sprintf("get it: try %d of 4 failed: ", i+1)) || !strings.HasSuffix(line, fmt.Sprintf("; again in %dns", i+1)) {
					t.Errorf("said %q", line)
				}
			}
		})
	}
}

// TestPatience: between the first and the last try is a minute at least.
func TestPatience(t *testing.T) {
	var total time.Duration
	for _, p := range Patient.Pauses {
		total += p
	}
	if total < time.Minute {
		t.Errorf("all pauses are %s", total)
	}
}

func TestLasting(t *testing.T) {
	refused := raw(t, func(net.Conn) {})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	defer tls.Close()
	tls.Config.ErrorLog = nil
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for source, want := range map[string]bool{
		"http://" + refused: false, "http://" + gone: false,
		tls.URL: true, strings.Replace(plain.URL, "http:", "https:", 1): true,
		"ftp://example.invalid/x": true, "http://bad host/": true, "http://127.0.0.1:99999/": true,
	} {
		_, err := client(relaxed).get(t.Context(), source)
		if err == nil || Lasting(err) != want {
			t.Errorf("%s: lasting %v; error %v", source, Lasting(err), err)
		}
	}
	_, err = os.Open(filepath.Join(t.TempDir(), "x"))
	if !Lasting(fmt.Errorf("x: %w", err)) {
		t.Error("a file that cannot be opened here is tried again")
	}
	for _, tc := range []struct {
		err  net.DNSError
		want bool
	}{{net.DNSError{IsNotFound: true}, true}, {net.DNSError{IsTemporary: true}, false}, {net.DNSError{IsTimeout: true}, false}} {
		if Lasting(&tc.err) != tc.want {
			t.Errorf("%+v: lasting %v", tc.err, !tc.want)
		}
	}
}

// TestProxyRefuses: a proxy's 404 says nothing of the file.
func TestProxyRefuses(t *testing.T) {
	for code, lasting := range map[int]bool{404: true, 407: true, 502: false} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		at, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		at.User = url.UserPassword("me", "secret")
		_, err = New(relaxed, http.ProxyURL(at), func(string) {}).get(t.Context(), "https://example.invalid/x")
		var status *StatusError
		if err == nil || errors.As(err, &status) || Lasting(err) != lasting || !strings.Contains(err.Error(), fmt.Sprint(code)) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d: lasting %v, error %v", code, Lasting(err), err)
		}
		s.Close()
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-7": 0, "soon": 0, "99999999999999999999": 0,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q is %s, want %s", value, got, want)
		}
	}
	for wait, want := range map[time.Duration]string{
		5 * time.Millisecond: "again in 5ms",
		time.Hour:            "and the server asks for a pause of 1h0m0s: try later",
	} {
		said := ""
		c := New(Timing{Pauses: []time.Duration{1}}, nil, func(line string) { said = line })
		err := c.Try(t.Context(), "x", func() error { return &StatusError{Status: "429 Too Many Requests", Code: 429, RetryAfter: wait} })
		if !strings.Contains(said+err.Error(), want) {
			t.Errorf("%s: said %q, error %v", wait, said, err)
		}
	}
}

// TestRedirections are followed, but not to where they would weaken what was
// asked, not for ever, and with no secrets for others.
func TestRedirections(t *testing.T) {
	var seen atomic.Value // the header of the last request to other
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Header.Clone())
		fmt.Fprint(w, "there")
	}))
	defer other.Close()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			if user, password, ok := r.BasicAuth(); !ok || user != "me" || password != "secret" {
				http.Error(w, "who are you", http.StatusUnauthorized)
				return
			}
			fmt.Fprint(w, "here")
		case "/same":
			http.Redirect(w, r, "/here", http.StatusFound)
		case "/other":
			http.Redirect(w, r, other.URL+"/x", http.StatusMovedPermanently)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}
	})
	plain, tls := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer tls.Close()
	c := client(relaxed)
	c.reach.transport.TLSClientConfig = tls.Client().Transport.(*http.Transport).TLSClientConfig
	for _, tc := range []struct{ server, path, want string }{
		{plain.URL, "/same", "here"}, {plain.URL, "/other", "there"}, {tls.URL, "/same", "here"},
		{tls.URL, "/other", "redirected from https to " + other.URL + "/x, which does not protect against forgery"},
		{plain.URL, "/file", "redirected to file:///etc/passwd, which is neither http nor https"},
		{plain.URL, "/round", "11 redirections"},
	} {
		got, err := c.get(t.Context(), strings.Replace(tc.server, "://", "://me:secret@", 1)+tc.path)
		if text := string(got) + fmt.Sprint(err); !strings.Contains(text, tc.want) || strings.Contains(text, "secret") {
			t.Errorf("%s: %q, error %v; want %q", tc.path, got, err, tc.want)
		}
		if err != nil && !Lasting(err) {
			t.Errorf("%s: would be tried again", tc.path)
		}
	}
	header := seen.Load().(http.Header)
	if header.Get("Authorization") != "" || header.Get("Referer") != "" {
		t.Errorf("another server was told %v", header)
	}
}
