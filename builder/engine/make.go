package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// make makes one result, and keeps it if none of its inputs changed meanwhile. why is a line
// for the step's log, "" for none. The error is a [*StepError].
func (e *Engine) make(ctx context.Context, g *plan.Graph, id, why string) (layer.Result, error) {
	ctx = event.Within(ctx, event.OfStep(e.Sink, id))
	key := g.Key(id)
	draft, err := e.Store.Begin(key)
	if err != nil {
		return layer.Result{}, &StepError{Step: id, Err: err}
	}
	draft.Layer = g.Step(id).Output == plan.Layer
	start := time.Now()
	var result layer.Result
	inputs, err := watchInputs(e.Store, g, id)
	if err == nil {
		result, err = e.carryOut(ctx, g, id, draft, false)
		if why != "" {
			err = errors.Join(err, addLine(draft.Log, why))
		}
		// It may also be why the step failed.
		if changed := inputs.changed(); changed != nil && ctx.Err() == nil {
			err = errors.Join(err, changed)
		}
	}
	if err == nil {
		if lerr := e.noteLooks(g, id, draft); lerr != nil {
			e.Sink.Emit(event.Event{Kind: event.StepOutput, Step: id, Line: "its result will not be used for other trees: " + lerr.Error()})
		}
	}
	if err == nil {
		result.Step, result.Earlier = id, earlier(e.Store, g, id)
		if result.Duration == 0 {
			result.Duration = time.Since(start)
		}
		if err = event.Timed(ctx, "store the result", func() (err error) {
			result, err = e.Store.Put(draft, result)
			return err
		}); err == nil {
			return result, nil
		}
	}
	failed := &StepError{Step: id, Err: draft.ExplainFull(err), Shell: hasShell(g.Step(id))}
	var known *Failure
	if errors.As(err, &known) {
		failed.Command, failed.Paths, failed.Warnings = known.Command, known.Paths, known.Warnings
		if known.Fault != nil {
			failed.Fault = known.Fault.Faults(nil)
		}
	}
	// One that was stopped has nothing to tell.
	if !errors.Is(ctx.Err(), context.Canceled) {
		failed.Log = e.keepLog(draft.Log, id)
	}
	draft.Abort()
	return layer.Result{}, failed
}

// addLine adds a line to a log.
func addLine(log, line string) error {
	f, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// carryOut gives a step to the executor. The inputs of the step are in the store. With again, the step runs even if another machine has the
// result of an earlier execution.
func (e *Engine) carryOut(ctx context.Context, g *plan.Graph, id string, draft *layer.Draft, again bool) (r layer.Result, err error) {
	request, err := describe(e.Store, g, id, draft, e.Secrets)
	if err != nil {
		return layer.Result{}, err
	}
	request.Again = again
	if request.Then, err = e.ahead(g, id); err != nil {
		return layer.Result{}, err
	}
	if e.recorded(&request.Step) {
		request.Looks = filepath.Join(draft.Dir, lookedFile)
	}
	err = event.Timed(ctx, "carry out", func() (err error) {
		r, err = e.Executor.Execute(ctx, request)
		return err
	})
	return r, err
}

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
