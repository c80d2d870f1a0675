package engine

import (
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// madePrefix is not the beginning of any directory, because these are absolute.
const madePrefix = "#"

// Made returns the name that a request has in place of the directory of a result that does not exist yet: that of the n-th of the steps
// that are carried out together, from 0.
func Made(n int) string { return madePrefix + strconv.Itoa(n) }

// IsMade reports whether a directory of a request is a name that Made returns.
func IsMade(dir string) bool { return strings.HasPrefix(dir, madePrefix) }

// ahead describes the later steps of a step's chain, which are sent to another machine together with it. It stops at a step that has a
// result, or of which an input is missing. Chains are formed so that the first step waits for all inputs of the later ones, but a result
// in the cache can end that wait early: it is used without the results that it was made of.
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

// chainsOf returns the chains of a graph. It keeps those of the last graph, because they are asked for at each step of a run.
func (e *Engine) chainsOf(g *plan.Graph) plan.Chains {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.chained != g {
		e.chained, e.chains = g, g.Chains()
	}
	return e.chains
}

// expected is a store that also seems to have the results that are about to be made.
type expected struct {
	Store
	names map[string]string // key -> Made
}

// Open implements [Store].
func (e *expected) Open(key string) (string, error) {
	if name, ok := e.names[key]; ok {
		return name, nil
	}
	return e.Store.Open(key)
}

// Get implements [Store]. The epoch of an expected result is 0: the machine that makes it fills it in.
func (e *expected) Get(key string) (layer.Result, bool, error) {
	if _, ok := e.names[key]; ok {
		return layer.Result{}, true, nil
	}
	return e.Store.Get(key)
}

// all reports whether all steps that a step requires have results.
func (e *expected) all(g *plan.Graph, id string) (bool, error) {
	for _, in := range g.Requires(id) {
		if _, ok, err := e.Get(g.Key(in)); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}
