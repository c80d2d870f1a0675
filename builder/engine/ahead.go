package engine

import (
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// madePrefix begins the names of Made. Paths of directories are absolute, so they do not begin with madePrefix.
const madePrefix = "#"

// Made returns the name that replaces the directory of a result in a request if the result does not exist yet. n is the number of the
// result's step among the steps that are carried out together, counted from 0.
func Made(n int) string { return madePrefix + strconv.Itoa(n) }

// IsMade reports whether a directory of a request is a name that Made returns.
func IsMade(dir string) bool { return strings.HasPrefix(dir, madePrefix) }

// ahead describes the later steps of a step's chain. They are sent to another machine together with the step. ahead stops at a step that
// has a result or a missing input. The first step of a chain waits for all inputs of the later steps. A result in the cache can end this
// wait early, because it is used without its own inputs.
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

// chainsOf returns the chains of a graph. It keeps the chains of the last graph, because each step of a run needs them.
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
