package build

import (
	"sync"

	"github.com/treewright/treewright/builder/event"
)

// recorder is a sink that keeps what it is told.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
	lines  []string // of notes, warnings and waiting
}

func (r *recorder) Emit(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if e.Line != "" {
		r.lines = append(r.lines, e.Line)
	}
}

func (r *recorder) Close() error { return nil }
