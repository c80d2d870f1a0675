package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// make makes one result, and keeps it if none of its inputs changed meanwhile. The
// error is a [*StepError].
func (e *Engine) make(ctx context.Context, g *plan.Graph, id string) (layer.Result, error) {
	key := g.Key(id)
	draft, err := e.Store.Begin(key)
	if err != nil {
		return layer.Result{}, &StepError{Step: id, Key: key, Err: err}
	}
	start := time.Now()
	var result layer.Result
	inputs, err := watchInputs(e.Store, g, id)
	if err == nil {
		result, err = e.carryOut(ctx, g, id, draft)
		// It may also be why the step failed.
		if changed := inputs.changed(); changed != nil && ctx.Err() == nil {
			err = errors.Join(err, changed)
		}
	}
	if err == nil {
		result.Step, result.Duration = id, time.Since(start)
		if result, err = e.Store.Put(draft, result); err == nil {
			return result, nil
		}
	}
	// Programs word a full disk in many ways, and clear up before they end.
	if free, ferr := layer.FreeSpace(e.Store.Root()); ferr == nil && free < nearlyFull || errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("%w\nthe disk that holds the cache %s is full or nearly so (%d MiB left); `./build cache prune` or --cache DIR makes room", err, e.Store.Root(), free>>20)
	}
	failed := &StepError{Step: id, Key: key, Err: err, Shell: HasShell(g.Step(id))}
	var known *Failure
	if errors.As(err, &known) {
		failed.Command, failed.Warnings = known.Command, known.Warnings
	}
	// One that was stopped has nothing to tell.
	if !errors.Is(ctx.Err(), context.Canceled) {
		failed.Log = e.keepLog(draft.Log, id)
	}
	draft.Abort()
	return layer.Result{}, failed
}

// carryOut has a step carried out whose inputs are in the store.
func (e *Engine) carryOut(ctx context.Context, g *plan.Graph, id string, draft *layer.Draft) (layer.Result, error) {
	request, err := Describe(e.Store, g, id, draft)
	if err != nil {
		return layer.Result{}, err
	}
	return e.Executor.Execute(ctx, request)
}

// nearlyFull is how little room on the cache's disk, in bytes, is worth
// mentioning when a step fails.
const nearlyFull = 256 << 20

// keepLog moves a log out of a draft and returns where it is then.
func (e *Engine) keepLog(log, id string) string {
	if err := os.MkdirAll(e.FailedLogs, 0o755); err != nil {
		return ""
	}
	kept := filepath.Join(e.FailedLogs, plan.LogName(id))
	if err := os.Rename(log, kept); err == nil {
		return kept
	}
	text, err := os.ReadFile(log)
	if err != nil || os.WriteFile(kept, text, 0o644) != nil {
		return ""
	}
	return kept
}

// Describe writes a step down for [StepExec]: with the places of its inputs in
// the store and the folders of a draft.
func Describe(store Store, g *plan.Graph, id string, draft *layer.Draft) (*Request, error) {
	s := g.Step(id)
	r := &Request{Step: *s, Inputs: map[string]Mounted{}, Data: draft.Data, Work: draft.Work, Scratch: draft.Scratch, Log: draft.Log}
	var err error
	if r.Base, err = openStack(store, g, s.Base); err != nil {
		return nil, err
	}
	if r.Tools, err = openStack(store, g, s.Tools); err != nil {
		return nil, err
	}
	for name, in := range s.Inputs {
		m := Mounted{}
		if g.Step(in).Output == plan.Layer {
			m.Steps = g.Stack(in)
			m.Stack, err = openStack(store, g, in)
		} else {
			m.Dir, err = store.Open(g.Key(in))
		}
		if err != nil {
			return nil, err
		}
		r.Inputs[name] = m
	}
	for _, in := range g.Needs(id) {
		res, ok, err := store.Get(g.Key(in))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("the result of %s is not in the cache", in)
		}
		r.Epoch = max(r.Epoch, res.Epoch)
	}
	return r, nil
}

// openStack opens the layers of the tree that a step leaves.
func openStack(store Store, g *plan.Graph, id string) ([]string, error) {
	var dirs []string
	for _, l := range g.Stack(id) {
		dir, err := store.Open(g.Key(l))
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}
