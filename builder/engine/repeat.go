package engine

import (
	"context"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Repeat carries out a step again, whose inputs must be in the store, and returns the digest
// of the result, as [layer.Store.Index] does. The result is thrown away; the store keeps the
// one that it has.
func (e *Engine) Repeat(ctx context.Context, g *plan.Graph, id string) (string, error) {
	draft, err := e.Store.Begin(g.Key(id))
	if err != nil {
		return "", err
	}
	defer draft.Abort()
	if _, err := e.carryOut(ctx, g, id, draft); err != nil {
		return "", &StepError{Step: id, Err: err}
	}
	return layer.IndexOf(draft)
}

// Reproduces makes a result that is in the store again, in a draft, whatever steps it takes to have what it is made
// of, and reports whether it is the same. One that is not does not count any more.
func (e *Engine) Reproduces(ctx context.Context, g *plan.Graph, id string) (bool, error) {
	needs := g.Requires(id)
	if _, err := e.Pull(ctx, g, needs); err != nil {
		return false, err
	}
	if _, err := e.Run(ctx, g, needs); err != nil {
		return false, err
	}
	made, err := e.Repeat(ctx, g, id)
	if err != nil {
		return false, err
	}
	key := g.Key(id)
	was, err := e.Store.Index(key)
	if err != nil || was == made {
		return err == nil, err
	}
	return false, e.Store.Condemn(&layer.Damage{Key: key, Step: id, Path: "its data", How: "is not what is made here"})
}
