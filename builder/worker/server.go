package worker

import (
	"runtime"
	"sync"

	"github.com/treewright/treewright/builder/remote"
)

// Server is the connection to a server of workers, with the reasons of failures so far. All flavours of a build share it.
type Server struct {
	remote.Executor
	// url is the URL in messages.
	url string
	// slots limits the number of workers' steps that run on this machine at once: each of these steps sends an element.
	slots chan struct{}
	// known has the [layer.DataSum] of each program and source, by its path.
	known sync.Map

	mu      sync.Mutex
	gone    bool            // the server is not used any more
	reasons map[string]bool // the reasons of failures so far
}

// NewServer returns a server. Messages have the given URL.
func NewServer(there remote.Executor, url string) *Server {
	return &Server{Executor: there, url: url, slots: make(chan struct{}, runtime.NumCPU()), reasons: map[string]bool{}}
}

// URL returns the URL of the server for messages.
func (s *Server) URL() string { return s.url }

// isGone reports whether the server is not used any more.
func (s *Server) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// fails records the reason of a failure. With gone, the server is not used any more. fails reports whether the reason is new and the server
// was in use.
func (s *Server) fails(why string, gone bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.gone && !s.reasons[why]
	s.reasons[why] = true
	s.gone = s.gone || gone
	return first
}
