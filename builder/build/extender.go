package build

import (
	"context"
	"sync"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
)

// Extender makes images of packages for a server, serve.Extender.
type Extender struct {
	Builder *Builder
	// Sources are as in [ExtendRequest].
	Sources []string
}

// Extend makes the image that a machine asks for, and reports the progress.
func (e Extender) Extend(ctx context.Context, flavour string, r extend.Request, progress func(extend.Message)) error {
	_, err := e.Builder.Extend(ctx, ExtendRequest{Flavour: flavour, Commit: r.Commit, Packages: r.Packages, Sources: e.Sources, Sink: &jobProgress{tell: progress}})
	return err
}

// jobProgress is a Sink that sends a client the progress of its image.
type jobProgress struct {
	tell func(extend.Message)

	mu  sync.Mutex
	now extend.Message
}

// Emit implements [event.Sink].
func (p *jobProgress) Emit(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case event.PhaseStarted:
		p.now.Step = e.Title
	case event.Waiting:
		p.now.Step = "wait for another build"
	case event.BuildStarted:
		p.now = extend.Message{Steps: int(e.Total)}
	case event.StepStarted:
		p.now.Step = e.Title
	case event.StepFinished, event.StepPulled:
		p.now.Ended++
	default:
		return
	}
	p.tell(p.now)
}

// Close implements [event.Sink].
func (*jobProgress) Close() error { return nil }
