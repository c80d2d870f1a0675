package build

import (
	"context"
	"errors"
	"slices"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/worker"
)

// Run runs the steps of a plan that targets need, unless they certainly do not
// fit on the disk.
func (b *Builder) Run(ctx context.Context, p *Prepared, sink event.Sink, targets []string) (*engine.Outcome, error) {
	if b.options.Backend == nil && !begun.Load() {
		return nil, errors.New("a program that builds has to call build.Child at its start: each step is carried out by the same program, started again")
	}
	sink = heard(sink)
	ctx = event.Within(ctx, sink)
	store, r := p.Cache.Store, reporter{sink}
	if swept, err := store.Sweep(); err != nil {
		return nil, err
	} else if swept > 0 {
		r.note("removed what %s left incomplete", diag.Counted(swept, "interrupted step"))
	}
	e, err := b.newEngine(p, sink, r)
	if err != nil {
		return nil, err
	}
	pulled, err := b.pull(ctx, e, p, targets, r)
	if err != nil {
		return nil, err
	}
	// Before anything is made of them.
	if err := b.verifyPulled(ctx, e, p, pulled, r); err != nil {
		return nil, err
	}
	var missing, cached []string
	if err := event.Timed(ctx, "look results up", func() (err error) {
		missing, cached, err = e.Missing(p.Graph, targets)
		return err
	}); err != nil {
		return nil, err
	}
	if err := b.emulate(ctx, p, stay(e, p.Graph, missing), sink); err != nil {
		return nil, err
	}
	if err := b.checkRoom(p, missing, r); err != nil {
		return nil, err
	}
	ahead := b.expect(p, missing, e)
	e.Sink, e.Takes = foretelling{sink, ahead, p.Subject}, ahead.takes
	r.emit(event.Event{Kind: event.BuildStarted, Flavour: p.Subject.Flavour(), Total: int64(len(missing)), Cached: int64(len(cached)), Expected: ahead.total})
	var out *engine.Outcome
	err = event.Timed(ctx, "run steps", func() (err error) {
		out, err = e.Run(ctx, p.Graph, targets)
		return err
	})
	if sender, ok := e.Executor.(*worker.Sender); ok {
		if sent, here := sender.Counts(); sent+here > 0 {
			r.note("workers of %s carried out %s, and this machine %d", sender.There.URL(), diag.Counted(sent, "step"), here)
		}
	}
	var failed *engine.StepError
	if errors.As(err, &failed) {
		b.layersOf(p).madeBy(failed)
		if failed.Fault != nil {
			failed.Fault.Files = p.Subject.Project.Files
		}
	}
	return out, err
}

// newEngine returns an engine, with the remote cache and the workers that the options and the tree name.
func (b *Builder) newEngine(p *Prepared, sink event.Sink, r reporter) (*engine.Engine, error) {
	e := &engine.Engine{
		Store: p.Cache.Store, Sink: sink, Workers: b.options.Jobs, MemoryMiB: b.options.MemoryMiB,
		FailedLogs: p.Output.Logs(), Secrets: p.secrets, NoShortcuts: b.options.NoShortcuts,
	}
	err := b.executor(e, p, r)
	if err == nil {
		e.Cache, err = b.shared(p.Subject.Project, r)
	}
	return e, err
}

// stay returns the steps that are not sent to other machines.
func stay(e *engine.Engine, g *plan.Graph, ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return e.Sent != nil && e.Sent(g.Step(id)) })
}
