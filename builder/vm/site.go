package vm

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Site is a web server with one repository, inside a job's network.
type Site struct {
	// Addr is where it listens. An address that the loopback device does not have is
	// given to it.
	Addr netip.AddrPort `json:"addr"`
	// Host is the only host that it answers for, in lower case.
	Host string `json:"host"`
	// Path is where the repository is in URLs, without a slash at the end, and Serves
	// where that is below the job's served directory.
	Path   string `json:"path"`
	Serves string `json:"serves"`
	// Certificate and Key are PEM; without them it is http.
	Certificate []byte `json:"certificate,omitempty"`
	Key         []byte `json:"key,omitempty"`
}

// Request is a line of a site's log.
type Request struct {
	// URL is what the client asked for: by its own word in the request, and with
	// https by its word when the connection began (SNI), which is in ServerName.
	URL        string `json:"url"`
	ServerName string `json:"server_name,omitempty"`
	Status     int    `json:"status"`
}

// requestsLog is the name of the log in a job's shared directory.
const requestsLog = "requests.log"

// start serves the site until ctx ends. What h answers for paths below /Serves is
// found below Path; each request is noted in the file log.
func (s Site) start(ctx context.Context, h http.Handler, log string) error {
	if err := loopbackHas(s.Addr.Addr()); err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	if len(s.Certificate) > 0 {
		pair, err := tls.X509KeyPair(s.Certificate, s.Key)
		if err != nil {
			return fmt.Errorf("serve the remote: %w", err)
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	server.Handler = s.handler(h, func(r Request) {
		mu.Lock()
		defer mu.Unlock()
		// The reader of the log reports what is missing.
		_ = json.NewEncoder(file).Encode(r)
	})
	listener, err := net.Listen("tcp", s.Addr.String())
	if err != nil {
		return fmt.Errorf("serve the remote: %w", err)
	}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() {
		defer file.Close()
		if server.TLSConfig != nil {
			err = server.ServeTLS(listener, "", "")
		} else {
			err = server.Serve(listener)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "serve the remote:", err)
		}
	}()
	return nil
}

// handler answers for the site's host and path only.
func (s Site) handler(h http.Handler, note func(Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := Request{URL: "http://" + r.Host + r.URL.Path}
		if r.TLS != nil {
			asked = Request{URL: "https://" + r.Host + r.URL.Path, ServerName: r.TLS.ServerName}
		}
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			asked.Status = status.status
			note(asked)
		}()
		inside, below := strings.CutPrefix(r.URL.Path, s.Path+"/")
		switch {
		case !s.answersFor(r.Host):
			http.Error(status, "the remote is served for "+s.Host+" only", http.StatusMisdirectedRequest)
		case !below:
			http.NotFound(status, r)
		default:
			to := r.Clone(r.Context())
			to.URL = &url.URL{Path: "/" + s.Serves + "/" + inside}
			to.RequestURI = to.URL.RequestURI()
			h.ServeHTTP(status, to)
		}
	})
}

// answersFor reports whether the host of a request, which may have a port, is the site's.
func (s Site) answersFor(host string) bool {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if port != fmt.Sprint(s.Addr.Port()) {
			return false
		}
		host = name
	}
	return strings.EqualFold(host, s.Host)
}

// statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// readRequests reads a site's log; without one nobody has asked for anything.
func readRequests(shared string) ([]Request, error) {
	file, err := os.Open(filepath.Join(shared, requestsLog))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []Request
	for lines := json.NewDecoder(file); lines.More(); {
		var r Request
		if err := lines.Decode(&r); err != nil {
			return all, fmt.Errorf("read what was asked of the remote: %w", err)
		}
		all = append(all, r)
	}
	return all, nil
}

// loopbackHas gives the loopback device an address, unless it has it.
func loopbackHas(addr netip.Addr) error {
	if addr.IsLoopback() {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("address of loopback: %w", err)
	}
	defer unix.Close(fd)
	// An alias: the device keeps 127.0.0.1. The rest of the network stays unknown.
	for _, set := range []struct {
		request uint
		value   netip.Addr
	}{{unix.SIOCSIFADDR, addr}, {unix.SIOCSIFNETMASK, netip.AddrFrom4([4]byte{255, 255, 255, 255})}} {
		ifr, err := unix.NewIfreq("lo:0")
		if err == nil {
			if err = ifr.SetInet4Addr(set.value.AsSlice()); err == nil {
				err = unix.IoctlIfreq(fd, set.request, ifr)
			}
		}
		if err != nil {
			return fmt.Errorf("address of loopback: %w", err)
		}
	}
	return nil
}
