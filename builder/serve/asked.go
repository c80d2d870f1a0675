package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/treewright/treewright/builder/extend"
)

// mostAsked is the maximum size of a request for an image in bytes: enough for [extend.MostPackages] names.
const mostAsked = 64 << 10

// refusal is the answer to a request for which the server does not make a job.
type refusal struct {
	status int
	extend.Failure
}

// refuse makes a refusal.
func refuse(status int, reason extend.Reason, text string, args ...any) *refusal {
	return &refusal{status, extend.Failure{Reason: reason, Text: fmt.Sprintf(text, args...)}}
}

// write answers with the refusal, in the form of the last line of an answer.
func (f *refusal) write(w http.ResponseWriter) {
	raw, err := json.Marshal(extend.Message{State: extend.Failed, Failure: &f.Failure})
	if err != nil {
		panic(err) // strings can always be written
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	if f.status == http.StatusTooManyRequests {
		header.Set("Retry-After", "30")
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(append(raw, '\n')) // the client is gone otherwise
}

// readAsked reads the request of a client, which may ask for as many packages as most.
func readAsked(w http.ResponseWriter, r *http.Request, most int) (asked extend.Request, no *refusal) {
	// A page of another site cannot have a browser send this type without asking first.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return asked, refuse(http.StatusUnsupportedMediaType, extend.BadRequest, "the request is not JSON: send it with Content-Type: application/json")
	}
	tooLarge := refuse(http.StatusRequestEntityTooLarge, extend.BadRequest, "the request has more than %d bytes", mostAsked)
	if r.ContentLength > mostAsked {
		return asked, tooLarge
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostAsked))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return asked, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return asked, refuse(http.StatusRequestTimeout, extend.BadRequest, "the request did not arrive in time")
	case err != nil:
		return asked, refuse(http.StatusBadRequest, extend.BadRequest, "the request is not complete")
	}
	if asked, err = parseAsked(text); err != nil {
		return asked, refuse(http.StatusBadRequest, extend.BadRequest, "%v", err)
	}
	if len(asked.Packages) > most {
		return asked, refuse(http.StatusForbidden, extend.NotAllowed, "%d packages are asked for; %d is the limit of this server", len(asked.Packages), most)
	}
	return asked, nil
}

// parseAsked reads a request. It refuses unknown fields: a client that sets one would not get the image that it asks for.
func parseAsked(text []byte) (asked extend.Request, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&asked); err != nil {
		return asked, fmt.Errorf("the request cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return asked, errors.New("there is something after the request")
	}
	if err := asked.Check(); err != nil {
		return asked, err
	}
	return asked.Sorted(), nil
}

// addressOf returns the client to which the queue attributes a request. If a web server on this machine passes requests on, it is the
// address that the web server adds to X-Forwarded-For. A network of IPv6 is one client, because each has countless addresses.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if forwarded := r.Header.Values("X-Forwarded-For"); addr.Unmap().IsLoopback() && len(forwarded) > 0 {
		all := strings.Split(forwarded[len(forwarded)-1], ",")
		if client, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
			addr = client
		}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}
