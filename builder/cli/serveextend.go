package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/serve"
)

// extend has the server make images of packages, if the tree has a block extend. project is nil if the tree was not read yet. stop ends the
// jobs that run.
func (o *serveOptions) extend(ctx context.Context, c *command, h *serve.Handler, project *config.Project) (stop func(), err error) {
	if project == nil && build.IsTree(c.options.dir) {
		var faults *diag.Faults
		switch project, _, err = c.builder.Load(); {
		// Machines upgrade from this server, whatever somebody writes into the tree.
		case errors.As(err, &faults):
			fmt.Fprintf(c.Err, "no images of packages are made for machines, because the configuration tree has faults, which `./build check` shows\n")
		case err != nil:
			fmt.Fprintf(c.Err, "no images of packages are made for machines: %v\n", err)
		}
	}
	if project == nil || project.Extend == nil {
		if project != nil && c.options.sign != (build.SignOptions{}) {
			return nil, usagef("options for signatures are for images of packages, and treewright.hcl has no block extend, without which none are made")
		}
		return func() {}, nil
	}
	fmt.Fprintf(c.Err, "images of these packages are made when machines ask for them: %s\n", strings.Join(project.Extend.Packages, " "))
	return h.Extend(ctx, extender{c.builder, project.Extend.Sources}, project.Extend), nil
}

// extender makes images of packages for a server.
type extender struct {
	builder *build.Builder
	sources []string
}

// Extend implements [serve.Extender].
func (e extender) Extend(ctx context.Context, flavour string, r extend.Request, progress func(extend.Message)) error {
	_, err := e.builder.Extend(ctx, build.ExtendRequest{Flavour: flavour, Commit: r.Commit, Packages: r.Packages, Sources: e.sources, Sink: &jobProgress{tell: progress}})
	return err
}

// jobProgress is a Sink that tells a client how far its image is.
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
