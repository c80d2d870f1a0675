package download

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestLines: lines come when they are complete, and each, however short, is a sign of life.
func TestLines(t *testing.T) {
	posted := ""
	at := raw(t, func(conn net.Conn) {
		asked(conn)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\n")
		for i := range 8 {
			fmt.Fprintln(conn, i)
			time.Sleep(100 * time.Millisecond)
		}
		conn.Close()
	})
	timing := Timing{Answer: 20 * time.Second, Stall: 600 * time.Millisecond}
	var got []string
	collect := func(line []byte) error { got = append(got, string(line)); return nil }
	if _, err := client(timing).Lines(t.Context(), "http://"+at+"/x", "application/json", []byte("q"), collect); err != nil || strings.Join(got, "") != "01234567" {
		t.Errorf("got %q, error %v", got, err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 9)
		n, _ := r.Body.Read(body)
		posted = r.Method + " " + r.Header.Get("Content-Type") + " " + string(body[:n])
		http.Error(w, "why", http.StatusTeapot)
	}))
	defer s.Close()
	said, err := client(timing).Lines(t.Context(), s.URL, "application/json", []byte("q"), collect)
	var status *StatusError
	if !errors.As(err, &status) || status.Code != http.StatusTeapot || string(said) != "why\n" || posted != "POST application/json q" {
		t.Errorf("posted %q; said %q, error %v", posted, said, err)
	}
}

// TestLinesEnd: whatever a server does instead, the request ends.
func TestLinesEnd(t *testing.T) {
	enough := errors.New("enough")
	for name, c := range map[string]struct {
		text string
		line func([]byte) error
		want string
	}{
		"silence":        {"one\n", nil, "the server stopped in the middle: it sent no line for 300ms"},
		"half a line":    {"one\ntw", nil, "the server stopped in the middle: it sent no line for 300ms"},
		"an endless one": {strings.Repeat("x", longestLine+1), nil, fmt.Sprintf("the server sent a line of more than %d bytes", longestLine)},
		"a refusal":      {"one\n", func([]byte) error { return enough }, "enough"},
	} {
		at := raw(t, func(conn net.Conn) {
			asked(conn)
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\n", c.text)
			hold(conn)
		})
		timing := Timing{Answer: 20 * time.Second, Stall: soon.Stall}
		if c.line == nil {
			c.line = func([]byte) error { return nil }
		}
		if _, err := client(timing).Lines(t.Context(), "http://"+at+"/x", "", nil, c.line); err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
	}
}
