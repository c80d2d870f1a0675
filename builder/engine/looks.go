package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
)

// recorded reports whether it is recorded what a step looks at. All that it works on but its
// tree, its inputs among it, is in its kind (see kindOf); what tools and the network are to it
// is not seen; what a secret is used for is to be in no file.
func (e *Engine) recorded(s *plan.Step) bool {
	return s.Recorded && !e.NoShortcuts && s.Base != "" && s.Output == plan.Layer &&
		s.Tools == "" && len(s.Secrets) == 0 && !s.Network
}

// kindOf returns the key that a step would have without a tree.
func kindOf(g *plan.Graph, s *plan.Step) (string, error) {
	bare := *s
	bare.Base = ""
	return g.KeyOf(bare)
}

// lookedFile has, in a draft, what a step looked at.
const lookedFile = "looked"

// noteLooks adds to the draft of a step that ran what the step looked at, if that is known.
func (e *Engine) noteLooks(g *plan.Graph, id string, draft *layer.Draft) error {
	s := g.Step(id)
	kind, err := e.kind(g, s)
	if kind == "" || err != nil {
		return err
	}
	if e.packs(g, s) {
		epoch, err := epochOf(e.Store, g, id)
		if err == nil {
			draft.Looks = layer.NoLooks(kind, epoch)
		}
		return err
	}
	raw, err := os.ReadFile(filepath.Join(draft.Dir, lookedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it could not be recorded
	}
	if err != nil {
		return err
	}
	var paths map[string]bool
	if err := json.Unmarshal(raw, &paths); err != nil {
		return fmt.Errorf("read what step %s looked at: %w", id, err)
	}
	tree, epoch, err := e.treeOf(g, s)
	if err != nil {
		return err
	}
	draft.Looks, err = layer.NewLooks(kind, epoch, tree, paths, draft.Data)
	return err
}

// treeOf returns the tree that a step works on, and the epoch that it begins with.
func (e *Engine) treeOf(g *plan.Graph, s *plan.Step) (*layer.Node, int64, error) {
	stack, err := openStack(e.Store, g, s.Base)
	if err != nil {
		return nil, 0, err
	}
	tree, err := layer.Merged(stack)
	if err != nil {
		return nil, 0, err
	}
	epoch, err := epochOf(e.Store, g, s.ID)
	return tree, epoch, err
}

// obtain makes one result, from that of an earlier run if that serves, and reports whether it did. The error
// is a [*StepError].
func (e *Engine) obtain(ctx context.Context, g *plan.Graph, id string) (layer.Result, bool, error) {
	r, before, why, err := e.asBefore(g, id)
	if before {
		return r, true, nil
	}
	if err != nil {
		// A shortcut that fails costs time, never the build.
		why = "the result of an earlier run cannot be used: " + err.Error()
	}
	if why != "" {
		why = "it runs because " + why
		e.Sink.Emit(event.Event{Kind: event.StepOutput, Step: id, Line: why})
	}
	r, err = e.make(ctx, g, id, why)
	return r, false, err
}

// kind returns the key of all that a step works on but its tree, or but the names of its
// inputs; "" if it always runs.
func (e *Engine) kind(g *plan.Graph, s *plan.Step) (string, error) {
	switch {
	case e.packs(g, s):
		return e.contentKind(g, s)
	case e.recorded(s):
		return kindOf(g, s)
	}
	return "", nil
}

// asBefore makes the result of a step from that of an earlier run, if all that it looked at
// then is the same in the tree that it works on now. If it is not, why has the first place.
func (e *Engine) asBefore(g *plan.Graph, id string) (r layer.Result, ok bool, why string, err error) {
	s := g.Step(id)
	kind, err := e.kind(g, s)
	if kind == "" || err != nil {
		return r, false, "", err
	}
	earlier, err := e.Store.Looks(kind)
	if err != nil || len(earlier) == 0 {
		return r, false, "", err
	}
	// Without a base it is empty, and so is what was looked at in it.
	tree, epoch, err := e.treeOf(g, s)
	if err != nil {
		return r, false, "", err
	}
	for _, looks := range earlier {
		changed := looks.Changed(tree)
		if looks.Epoch != epoch {
			changed = "the newest build date of its packages"
		}
		if changed == "" {
			if ok, _, err := e.Store.Sound(looks.Key); err != nil {
				return r, false, "", err
			} else if ok {
				r, err := e.again(g, id, looks)
				return r, err == nil, "", err
			}
			changed = "the result in the cache"
		}
		if why == "" {
			why = changed
		}
	}
	return r, false, "this is not as it was in its last run: " + why, nil
}

// again stores the result of an earlier run for a step.
func (e *Engine) again(g *plan.Graph, id string, looks *layer.Looks) (layer.Result, error) {
	draft, err := e.Store.Begin(g.Key(id))
	if err != nil {
		return layer.Result{}, err
	}
	inputs, err := watchInputs(e.Store, g, id)
	var r layer.Result
	if err == nil {
		r, err = e.Store.CopyInto(draft, looks.Key)
	}
	if err == nil {
		err = inputs.changed()
	}
	if err == nil {
		draft.Layer, draft.Looks, r.Step, r.Earlier = g.Step(id).Output == plan.Layer, looks, id, earlier(e.Store, g, id)
		if r, err = e.Store.Put(draft, r); err == nil {
			return r, nil
		}
	}
	err = draft.ExplainFull(err)
	draft.Abort()
	return layer.Result{}, err
}

// writeLooks leaves what was looked at for noteLooks.
func writeLooks(file string, looks sandbox.Looks) error {
	raw, err := json.Marshal(looks.Paths)
	if err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o644)
}
