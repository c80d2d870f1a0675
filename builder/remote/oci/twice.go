package oci

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"time"
)

// twice sends a request a second time if the registry, or the proxy before it, is busy or has just closed the connection. More tries would
// take longer than the step that the cache saves.
type twice struct {
	base  http.RoundTripper
	pause time.Duration
}

// RoundTrip implements [http.RoundTripper].
func (t *twice) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	body := req.Body != nil && req.Body != http.NoBody
	if !passing(resp, err) || body && req.GetBody == nil {
		return resp, err
	}
	if err == nil {
		resp.Body.Close()
	}
	select {
	case <-time.After(t.pause):
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	again := req.Clone(req.Context())
	if body {
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return t.base.RoundTrip(again)
}

// passing reports whether an answer, or the error in place of an answer, is a temporary fault.
func passing(resp *http.Response, err error) bool {
	if err != nil {
		return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	return resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusGatewayTimeout
}
