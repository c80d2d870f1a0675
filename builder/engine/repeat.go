package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Repeat carries out a step again, whose inputs must be in the store, and returns the digest
// of the result, as [layer.Store.Index] does. The result is thrown away; the store keeps the
// one that it has.
func (e *Engine) Repeat(ctx context.Context, g *plan.Graph, id string) (string, error) {
	_, index, err := e.repeat(ctx, g, id)
	return index, err
}

// repeat is Repeat that returns the result's record, too.
func (e *Engine) repeat(ctx context.Context, g *plan.Graph, id string) (r layer.Result, index string, err error) {
	draft, err := e.Store.Begin(g.Key(id))
	if err != nil {
		return r, "", err
	}
	defer draft.Abort()
	if r, err = e.carryOut(ctx, g, id, draft, true); err != nil {
		return r, "", &StepError{Step: id, Err: err}
	}
	index, err = layer.IndexOf(draft)
	return r, index, err
}

// Reproduces makes a result that is in the store again, in a draft, after the steps before it where that is necessary,
// and reports whether it is the same. If it is not, it does not count any more, and neither do the other results that were
// pulled, unless they were compared, nor results that were made of them for comparisons.
func (e *Engine) Reproduces(ctx context.Context, g *plan.Graph, id string) (bool, error) {
	needs := g.Requires(id)
	if _, err := e.Pull(ctx, g, needs); err != nil {
		return false, err
	}
	out, err := e.Run(ctx, g, needs)
	if err != nil {
		return false, err
	}
	for made := range out.Ran {
		e.notePulled(made, true)
	}
	made, index, err := e.repeat(ctx, g, id)
	if err != nil {
		return false, err
	}
	key := g.Key(id)
	r, _, err := e.Store.Get(key)
	if err != nil {
		return false, err
	}
	was, err := e.Store.Index(key)
	if err != nil {
		return false, err
	}
	differs := ""
	switch {
	case was != index:
		differs = "its data"
	case made.Epoch != r.Epoch || !maps.Equal(made.Facts, r.Facts) || !slices.EqualFunc(made.Files, r.Files, sameArtifact):
		differs = "its record" // which is published and signed
	default:
		e.notePulled(id, true)
		return true, nil
	}
	if err := e.Store.Condemn(&layer.Damage{Key: key, Step: id, Path: differs, How: "is not what is made here"}); err != nil {
		return false, err
	}
	return false, e.distrust(g)
}

// sameArtifact reports whether two records of an artifact are of the same one. The space of a directory depends on the disk.
func sameArtifact(a, b layer.File) bool {
	if a.SHA256 == "" && b.SHA256 == "" {
		a.Size, b.Size = 0, 0
	}
	return a == b
}

// notePulled notes that a result came from the remote cache, or was made here to compare one that did.
func (e *Engine) notePulled(id string, made bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pulled == nil {
		e.pulled = map[string]bool{}
	}
	e.pulled[id] = made
}

// distrust makes the results count no more that the remote cache gave and that were not compared, and those made of
// them.
func (e *Engine) distrust(g *plan.Graph) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	suspect := map[string]bool{}
	for _, s := range g.Steps() { // those that a step requires come before it
		made, ok := e.pulled[s.ID]
		if !ok || made && !slices.ContainsFunc(g.Requires(s.ID), func(in string) bool { return suspect[in] }) {
			continue
		}
		suspect[s.ID] = true
		if _, ok, err := e.Store.Get(g.Key(s.ID)); err != nil {
			return err
		} else if !ok {
			continue
		}
		damage := &layer.Damage{Key: g.Key(s.ID), Step: s.ID, Path: "its data", How: "came from a remote cache that gave a wrong result, or was made of such data"}
		if err := e.Store.Condemn(damage); err != nil {
			return err
		}
	}
	return nil
}
