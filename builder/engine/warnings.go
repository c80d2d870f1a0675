package engine

import (
	"maps"
	"slices"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

// warn shows the warnings of a step, once.
func (e *Engine) warn(g *plan.Graph, id string, warnings []string) {
	if len(warnings) == 0 || !e.firstWarning(g.Key(id)) {
		return
	}
	s := g.Step(id)
	for _, text := range warnings {
		e.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepWarning, Step: id, Stage: s.Stage, Title: s.Title, Key: g.Key(id), Line: text})
	}
}

// firstWarning reports whether the warnings of the step with a key were not shown before.
func (e *Engine) firstWarning(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.warned[key] {
		return false
	}
	if e.warned == nil {
		e.warned = map[string]bool{}
	}
	e.warned[key] = true
	return true
}

// warnAgain describes what the steps that led to the targets warned of in earlier builds.
// Most of them need not be looked at, as later results include them; what
// they warned of is true all the same. If the result of one was removed, or is on another
// machine, a result that was made of it has its warnings.
func (e *Engine) warnAgain(g *plan.Graph, targets, missing []string) {
	runs := map[string]bool{}
	for _, id := range missing {
		runs[id] = true
	}
	needed := g.Before(targets)
	warnings := map[string][]string{}
	for _, id := range slices.Backward(needed) {
		if runs[id] {
			continue
		}
		// The step that needs an unreadable one reports it.
		if r, ok, err := e.Store.Get(g.Key(id)); err == nil && ok {
			warnings[id] = r.Warnings
			for before, texts := range r.Earlier {
				if warnings[before] == nil {
					warnings[before] = texts
				}
			}
		}
	}
	for _, id := range needed {
		if !runs[id] {
			e.warn(g, id, warnings[id])
		}
	}
}

// earlier returns the warnings of all steps before one, whose results are in the store.
func earlier(store Store, g *plan.Graph, id string) map[string][]string {
	all := map[string][]string{}
	for _, in := range g.Requires(id) {
		// One that cannot be read is found out when the step works on it.
		r, ok, err := store.Get(g.Key(in))
		if err != nil || !ok {
			continue
		}
		maps.Copy(all, r.Earlier)
		if len(r.Warnings) > 0 {
			all[in] = r.Warnings
		}
	}
	return all
}
