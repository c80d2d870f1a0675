package serve

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// recorder notes what became of a request.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	// pulled is the commit whose object is asked for, if it is one.
	pulled pull
}

// pull is a commit that a client takes from a flavour's repository.
type pull struct{ flavour, commit string }

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// ReadFrom implements [io.ReaderFrom]: without it, files would not be sent by sendfile(2).
func (r *recorder) ReadFrom(from io.Reader) (int64, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := io.Copy(r.ResponseWriter, from)
	r.bytes += n
	return n, err
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// account counts requests, and writes the access log. It may be used by many
// requests at once.
type account struct {
	mu       sync.Mutex
	log      io.Writer // nil for none
	requests map[int]int64
	bytes    int64
	pulls    map[pull]int64
}

// add notes a request that was answered. It returns the error of the log.
func (a *account) add(r *http.Request, w *recorder, now time.Time) error {
	status := w.status
	if status == 0 {
		status = http.StatusOK // net/http writes it then
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.requests == nil {
		a.requests, a.pulls = map[int]int64{}, map[pull]int64{}
	}
	a.requests[status]++
	a.bytes += w.bytes
	// A client that asks for the rest of an object, or has it already, has pulled it before.
	if w.pulled.commit != "" && r.Method == http.MethodGet && status == http.StatusOK {
		a.pulls[w.pulled]++
	}
	if a.log == nil {
		return nil
	}
	_, err := io.WriteString(a.log, line(r, status, w.bytes, now))
	return err
}

// pulled describes how often a commit was pulled since the server was started.
func (a *account) pulled(flavour, commit string) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pulls[pull{flavour, commit}]
}

// line is a line of the access log, in the combined log format of Apache and nginx.
func line(r *http.Request, status int, bytes int64, now time.Time) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = "-"
	}
	return fmt.Sprintf("%s - - [%s] \"%s %s %s\" %d %d \"%s\" \"%s\"\n", host, now.Format("02/Jan/2006:15:04:05 -0700"),
		logged(r.Method), logged(r.RequestURI), logged(r.Proto), status, bytes, orDash(logged(r.Referer())), orDash(logged(r.UserAgent())))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// logged keeps a client from writing lines or fields of its own, or commands to the
// terminal on which the log is read.
func logged(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\x%02X`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
