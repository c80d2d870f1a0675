package download

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// StatusError is an answer other than 200.
type StatusError struct {
	Status string // "503 Service Unavailable"
	Code   int
	// Redirected is the URL that answered, if it is another than was asked.
	Redirected string
	// RetryAfter is for how long the server wants to be left alone; 0: it does
	// not say.
	RetryAfter time.Duration
}

func (e *StatusError) Error() string {
	if e.Redirected != "" {
		return fmt.Sprintf("the server answers %s, after a redirection to %s", e.Status, e.Redirected)
	}
	return "the server answers " + e.Status
}

// NotFound reports whether an error is the answer of a server that it does not have what it
// was asked for (404).
func NotFound(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound
}

// proxyError is a proxy that does not let us through. Its 404 says nothing of
// what we asked for, so it is not a StatusError.
type proxyError struct {
	proxy, status string
	code          int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy %s answers %s", e.proxy, e.status)
}

// stallError is a server that does not answer, or stopped.
type stallError struct{ what string }

func (e *stallError) Error() string { return e.what }

// permanent is an error that another try does not remove.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error as one that another try does not remove.
func Permanent(err error) error { return permanent{err} }

// doubtful is an error that another try may remove.
type doubtful struct{ error }

func (d doubtful) Unwrap() error { return d.error }

// Doubtful marks an error as one that is probably there to stay, like a wrong
// checksum: it may be that of a mirror that is just being brought up to date.
func Doubtful(err error) error { return doubtful{err} }

// Lasting reports whether an error is one that no further try removes: this
// machine's own (a full disk), certificates, names that do not exist, and
// answers that say no.
func Lasting(err error) bool {
	var (
		marked  permanent
		path    *fs.PathError
		link    *os.LinkError
		cert    *tls.CertificateVerificationError
		address *net.AddrError
		name    *net.DNSError
		status  *StatusError
		proxy   *proxyError
		badURL  *url.Error
		stalled *stallError
	)
	switch {
	case errors.As(err, &marked), errors.As(err, &path), errors.As(err, &link), errors.As(err, &cert), errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &address),
		errors.As(err, &badURL), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return true
	case errors.As(err, &stalled):
		return false
	case errors.As(err, &status):
		return !passing(status.Code)
	case errors.As(err, &proxy):
		return !passing(proxy.code)
	case errors.As(err, &name):
		return name.IsNotFound
	}
	return false
}

// passing reports whether an answer is one of trouble that passes.
func passing(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return code >= 500
}

// retryAfter reads the header Retry-After: seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now).Round(time.Second), 0)
	}
	return 0
}
