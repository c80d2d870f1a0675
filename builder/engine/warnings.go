package engine

import (
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

// warn describes what a step warns of.
func (e *Engine) warn(g *plan.Graph, id string, warnings []string) {
	s := g.Step(id)
	for _, text := range warnings {
		e.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepWarning, Step: id, Stage: s.Stage, Title: s.Title, Key: g.Key(id), Line: text})
	}
}

// warnAgain describes what the steps that led to the targets warned of in earlier builds.
// Nobody has to look at most of them, as later results include them; what
// they warned of is true all the same. A result that was pruned says nothing,
// nor does one that cannot be read: who needs it finds that out.
func (e *Engine) warnAgain(g *plan.Graph, targets, missing []string) {
	seen := map[string]bool{}
	for _, id := range missing {
		seen[id] = true
	}
	needed := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		if !needed[id] {
			needed[id] = true
			for _, in := range g.Requires(id) {
				visit(in)
			}
		}
	}
	for _, id := range targets {
		visit(id)
	}
	for _, s := range g.Steps() {
		if seen[s.ID] || !needed[s.ID] {
			continue
		}
		if r, ok, err := e.Store.Get(g.Key(s.ID)); err == nil && ok {
			e.warn(g, s.ID, r.Warnings)
		}
	}
}
