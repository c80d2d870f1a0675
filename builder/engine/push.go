package engine

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

// pushers is how many results are pushed at the same time, beside the steps that run.
const pushers = 2

// pusher puts results into the remote cache while other steps run.
type pusher struct {
	engine *Engine
	graph  *plan.Graph
	queue  chan string
	group  sync.WaitGroup
	// before ends when the results that were here at the start are in the queue.
	before sync.WaitGroup
}

// newPusher returns a pusher, nil if nothing is pushed. It begins with the results that led to the targets and
// are here already: as soon as a feature changes, another machine needs more than the targets.
func (e *Engine) newPusher(ctx context.Context, g *plan.Graph, targets []string) *pusher {
	if e.Cache == nil || !e.Cache.Pushes() {
		return nil
	}
	p := &pusher{engine: e, graph: g, queue: make(chan string, len(g.Steps()))}
	ids := map[string]string{}
	var keys []string
	for _, id := range g.Before(targets) {
		if hidden(g.Step(id)) {
			continue
		}
		// The step that needs an unreadable one reports it.
		if _, ok, err := e.Store.Get(g.Key(id)); ok && err == nil {
			ids[g.Key(id)], keys = id, append(keys, g.Key(id))
		}
	}
	p.before.Go(func() {
		for _, key := range e.Cache.Lacks(ctx, keys) {
			p.queue <- ids[key]
		}
	})
	for range pushers {
		p.group.Go(func() {
			for id := range p.queue {
				p.push(ctx, id)
			}
		})
	}
	return p
}

// add pushes the result of a step that was made, unless it stays on this machine.
func (p *pusher) add(id string) {
	if p != nil && !hidden(p.graph.Step(id)) {
		p.queue <- id
	}
}

// wait returns when all was pushed.
func (p *pusher) wait(ctx context.Context) {
	if p == nil {
		return
	}
	patience := time.AfterFunc(time.Second, func() {
		p.engine.Sink.Emit(event.Event{Time: time.Now(), Kind: event.Waiting, Line: "results to be pushed to " + p.engine.Cache.URL()})
	})
	defer patience.Stop()
	_ = event.Timed(ctx, "push results", func() error {
		p.before.Wait()
		close(p.queue)
		p.group.Wait()
		return nil
	})
}

// push puts one result into the remote cache. Another build may have done so meanwhile; the client finds that out before it sends
// anything large.
func (p *pusher) push(ctx context.Context, id string) {
	key, e := p.graph.Key(id), p.engine
	if ctx.Err() != nil {
		return
	}
	if err := e.Cache.Put(ctx, key, func(packed io.Writer) error { return e.Store.Pack(packed, key) }); err != nil {
		e.Sink.Emit(event.Event{Time: time.Now(), Kind: event.Warning, Line: "the result of " + id + " was not pushed: " + err.Error()})
	}
}
