package worker

import (
	"runtime"
	"sync"

	"github.com/treewright/treewright/builder/remote"
)

// Server is a server that has steps carried out, for all builds of a program.
type Server struct {
	remote.Executor
	// url is what messages call it.
	url string
	// slots has an element for each step that runs on this machine although a worker should have it.
	slots chan struct{}
	// known has a [layer.DataSum] of each program and source, by its path.
	known sync.Map

	mu   sync.Mutex
	gone bool
	said map[string]bool
}

// NewServer returns a server, which messages call url.
func NewServer(there remote.Executor, url string) *Server {
	return &Server{Executor: there, url: url, slots: make(chan struct{}, runtime.NumCPU()), said: map[string]bool{}}
}

// isGone reports whether the server is not used any more.
func (s *Server) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// fails notes a failure, after which the server is perhaps gone, and reports whether it is news.
func (s *Server) fails(why string, gone bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.gone && !s.said[why]
	s.said[why] = true
	s.gone = s.gone || gone
	return first
}
