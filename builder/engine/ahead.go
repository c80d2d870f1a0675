package engine

import (
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// madePrefix begins no directory, as these are absolute.
const madePrefix = "#"

// Made is what requests have for the directory of a result that does not exist yet: that of the n-th of the steps that are
// carried out together, from 0.
func Made(n int) string { return madePrefix + strconv.Itoa(n) }

// IsMade reports whether a directory of a request is what Made returns.
func IsMade(dir string) bool { return strings.HasPrefix(dir, madePrefix) }

// ahead describes the steps after one that are carried out together with it on another machine: those of its chain,
// as far as they have no results and what they work on is there. The first step can have been ready before that: a result in the
// cache does not need those that it was made of.
func (e *Engine) ahead(g *plan.Graph, id string) (then []*Request, err error) {
	if e.Sent == nil || !e.Sent(g.Step(id)) {
		return nil, nil
	}
	made := &expected{e.Store, map[string]string{}}
	for n, next := range e.chainsOf(g).From(id) {
		if n > 0 {
			if _, ok, err := e.Store.Get(g.Key(next)); ok || err != nil {
				return then, err
			}
			if ok, err := made.all(g, next); !ok || err != nil {
				return then, err
			}
			r, err := describe(made, g, next, &layer.Draft{}, nil)
			if err != nil {
				return nil, err
			}
			r.Draft = nil
			if e.recorded(&r.Step) {
				r.Looks = lookedFile
			}
			then = append(then, r)
		}
		made.names[g.Key(next)] = Made(n)
	}
	return then, nil
}

// chainsOf returns the chains of a graph, which are found once for a run.
func (e *Engine) chainsOf(g *plan.Graph) plan.Chains {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.chained != g {
		e.chained, e.chains = g, g.Chains()
	}
	return e.chains
}

// expected is a store that seems to have results which will be made, by key.
type expected struct {
	Store
	names map[string]string
}

// Open implements [Store].
func (e *expected) Open(key string) (string, error) {
	if name, ok := e.names[key]; ok {
		return name, nil
	}
	return e.Store.Open(key)
}

// Get implements [Store]. Who makes the results finds out their epochs.
func (e *expected) Get(key string) (layer.Result, bool, error) {
	if _, ok := e.names[key]; ok {
		return layer.Result{}, true, nil
	}
	return e.Store.Get(key)
}

// all reports whether all that a step requires has a result.
func (e *expected) all(g *plan.Graph, id string) (bool, error) {
	for _, in := range g.Requires(id) {
		if _, ok, err := e.Get(g.Key(in)); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}
