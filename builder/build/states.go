package build

import (
	"context"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

// State reports whether a step must run.
type State string

// The states of steps.
const (
	Cached    State = "cached"     // its result is there
	Remote    State = "remote"     // the remote cache has its result
	ToRun     State = "to run"     // it must be made
	NotNeeded State = "not needed" // what it leads to is there already
)

// Step is a step of a plan, and what a build would do with it.
type Step struct {
	ID     string   `json:"id"`
	Stage  string   `json:"stage"`
	Title  string   `json:"title"`
	Key    string   `json:"key"`
	State  State    `json:"state"`
	Reason string   `json:"reason,omitempty"` // why it must run
	Needs  []string `json:"needs"`
	// Next is the step that is sent to another machine together with this step, and runs right after this step; see [plan.Graph.Chains]. It
	// is "" if a chain does not have such a step.
	Next string `json:"next,omitempty"`
}

// Plan returns the steps in the order in which they are planned. The sink is told
// of results that are damaged, so that their steps count as missing. If there is a remote cache, it is asked.
func (b *Builder) Plan(ctx context.Context, p *Prepared, sink event.Sink) ([]Step, error) {
	sink = heard(sink)
	before, err := b.recall(p.Subject.Flavour())
	if err != nil {
		return nil, err
	}
	shared, err := b.shared(p.Subject.Project, reporter{sink})
	if err != nil {
		return nil, err
	}
	e := &engine.Engine{Store: p.Cache.Store, Sink: sink, Cache: shared}
	missing, cached, elsewhere, err := e.Forecast(ctx, p.Graph, p.Graph.Targets())
	if err != nil {
		return nil, err
	}
	states := map[string]State{}
	for _, id := range elsewhere {
		states[id] = Remote
	}
	for _, id := range cached {
		states[id] = Cached
	}
	for _, id := range missing {
		states[id] = ToRun
	}
	var steps []Step
	chains := p.Graph.Chains()
	for _, s := range p.Graph.Steps() {
		step := Step{ID: s.ID, Stage: s.Stage, Title: s.Title, Key: p.Graph.Key(s.ID), State: states[s.ID], Needs: append([]string{}, p.Graph.Needs(s.ID)...), Next: chains[s.ID]}
		switch step.State {
		case "":
			step.State = NotNeeded
		case ToRun:
			step.Reason = reason(p.Graph, s.ID, before)
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// reason explains why a step must run.
func reason(g *plan.Graph, id string, before plan.Record) string {
	if before == nil {
		return "never built here"
	}
	if why := g.Why(id, before); why != "" {
		return why
	}
	return "its result is no longer in the cache"
}
