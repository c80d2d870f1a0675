package vm

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// serverSocket and proxySocket are where the servers of a test of packages listen, in the job's shared directory.
const (
	serverSocket = "server.sock"
	proxySocket  = "proxy.sock"
)

// imageServer serves the built files and makes images of packages. It can be down.
type imageServer struct {
	handler http.Handler
	dir     string // of the socket
	http    *http.Server

	mu sync.Mutex
	// files is set if the server refuses POST requests, as web servers for files do.
	files bool
	// half is the commit of which one image is sent by half, "" for none. stalled is closed when that half was sent.
	half    string
	stalled chan struct{}
}

// up has the server answer. It may do so already.
func (s *imageServer) up() error {
	if s.http != nil {
		return nil
	}
	server, err := serveIn(s.dir, serverSocket, s)
	if err == nil {
		s.http = server
	}
	return err
}

// down ends it: it does not answer after that.
func (s *imageServer) down() error {
	if s.http == nil {
		return nil
	}
	err := errors.Join(s.http.Close(), os.RemoveAll(filepath.Join(s.dir, serverSocket)))
	s.http = nil
	return err
}

// serveIn serves on a socket.
func serveIn(dir, socket string, h http.Handler) (*http.Server, error) {
	l, err := listenIn(dir, socket)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() {
		// It ends by Close; a server that is gone for another reason is seen by the machine.
		_ = server.Serve(l)
	}()
	return server, nil
}

// filesOnly sets whether the server refuses POST requests.
func (s *imageServer) filesOnly(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = yes
}

// stall has the next image of a commit sent by half, and returns a channel that is closed after that half.
func (s *imageServer) stall(commit string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.half, s.stalled = commit, make(chan struct{})
	return s.stalled
}

// ServeHTTP implements [http.Handler].
func (s *imageServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	files, stalled := s.files, s.stalled
	half := s.half != "" && strings.Contains(r.URL.Path, "/"+s.half+"/") && strings.HasSuffix(r.URL.Path, ".raw")
	if half {
		s.half = "" // only once
	}
	s.mu.Unlock()
	switch {
	case files && r.Method == http.MethodPost:
		http.Error(w, "this server has files only", http.StatusMethodNotAllowed)
	case half:
		s.handler.ServeHTTP(&halfWriter{ResponseWriter: w, gone: r.Context().Done(), stalled: stalled}, r)
	default:
		s.handler.ServeHTTP(w, r)
	}
}

// halfWriter sends the first half of an answer, and then nothing until the client has left.
type halfWriter struct {
	http.ResponseWriter
	gone    <-chan struct{}
	stalled chan struct{}
	left    int64 // of the half; 0: not known yet
}

// Write implements [http.ResponseWriter].
func (h *halfWriter) Write(p []byte) (int, error) {
	if h.left == 0 {
		length, err := strconv.ParseInt(h.Header().Get("Content-Length"), 10, 64)
		if err != nil || length < 2 {
			return h.ResponseWriter.Write(p) // an answer without an image
		}
		h.left = length / 2
	}
	if int64(len(p)) < h.left {
		n, err := h.ResponseWriter.Write(p)
		h.left -= int64(n)
		return n, err
	}
	n, err := h.ResponseWriter.Write(p[:h.left])
	if err == nil {
		err = http.NewResponseController(h.ResponseWriter).Flush()
	}
	if err != nil {
		return n, err
	}
	close(h.stalled)
	<-h.gone
	return n, errors.New("the client has left")
}

// proxy passes requests on to hosts that a machine needs packages from.
func proxy(hosts []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Scheme != "http" || !slices.Contains(hosts, r.URL.Host) {
			http.Error(w, "this machine can reach the sources of its packages only", http.StatusForbidden)
			return
		}
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, r)
	})
}
