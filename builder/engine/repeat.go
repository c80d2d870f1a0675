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
