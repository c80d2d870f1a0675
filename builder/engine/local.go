package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
)

// Local carries steps out on this machine, each in a child process with
// namespaces of its own.
type Local struct {
	Store *layer.Store
	Sink  event.Sink
	// FailedLogs is the folder that keeps the logs of failed steps.
	FailedLogs string
}

// ExecVerb is the verb under which this program carries out a step that is
// described on file descriptor 3; see [StepExec].
const ExecVerb = "step-exec"

// Execute implements [Executor].
func (l *Local) Execute(ctx context.Context, g *plan.Graph, id string) (layer.Result, error) {
	key := g.Key(id)
	draft, err := l.Store.Begin(key)
	if err != nil {
		return layer.Result{}, &StepError{Step: id, Key: key, Err: err}
	}
	start := time.Now()
	var result layer.Result
	inputs, err := watchInputs(l.Store, g, id)
	if err == nil {
		result, err = l.execute(ctx, g, id, draft)
		// It may also be why the step failed.
		if changed := inputs.changed(); changed != nil && ctx.Err() == nil {
			err = errors.Join(err, changed)
		}
	}
	if err == nil {
		result.Step, result.Duration = id, time.Since(start)
		if err = draft.Commit(result); err == nil {
			// What the store knows of it is more: its index.
			var ok bool
			if result, ok, err = l.Store.Get(key); err == nil && ok {
				return result, nil
			}
			err = errors.Join(err, errors.New("its result is gone as soon as it was made"))
		}
	}
	// Programs word a full disk in many ways, and clear up before they end.
	if free, ferr := l.Store.Free(); ferr == nil && free < nearlyFull || errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("%w\nthe disk that holds the cache %s is full or nearly so (%d MiB left); `./build cache prune` or --cache DIR makes room", err, l.Store.Root(), free>>20)
	}
	failure := &StepError{Step: id, Key: key, Err: err, Shell: HasShell(g.Step(id))}
	var replied *replyError
	if errors.As(err, &replied) {
		failure.Command, failure.Warnings = replied.reply.Command, replied.reply.Result.Warnings
	}
	// A step that took too long has something to tell; one that was stopped
	// has not.
	if !errors.Is(ctx.Err(), context.Canceled) {
		failure.Log = l.keepLog(draft.Log, id)
	}
	draft.Abort()
	return layer.Result{}, failure
}

// nearlyFull is how little room on the cache's disk, in bytes, is worth
// mentioning when a step fails.
const nearlyFull = 256 << 20

// replyError is what the step's process says went wrong.
type replyError struct{ reply Reply }

func (e *replyError) Error() string { return e.reply.Error }

// keepLog moves a log out of a draft and returns where it is then.
func (l *Local) keepLog(log, id string) string {
	if err := os.MkdirAll(l.FailedLogs, 0o755); err != nil {
		return ""
	}
	kept := filepath.Join(l.FailedLogs, LogName(id))
	if err := os.Rename(log, kept); err == nil {
		return kept
	}
	text, err := os.ReadFile(log)
	if err != nil || os.WriteFile(kept, text, 0o644) != nil {
		return ""
	}
	return kept
}

// LogName is the name of a step's log file.
func LogName(id string) string { return strings.ReplaceAll(id, "/", "-") + ".log" }

// Describe writes a step down for [StepExec]: with the places of its inputs in
// the store and the folders of a draft.
func Describe(store *layer.Store, g *plan.Graph, id string, draft *layer.Draft) (*Request, error) {
	s := g.Step(id)
	r := &Request{Step: *s, Inputs: map[string]Mounted{}, Data: draft.Data, Work: draft.Work, Scratch: draft.Scratch}
	r.Base = stackPaths(store, g, s.Base)
	r.Tools = stackPaths(store, g, s.Tools)
	for name, in := range s.Inputs {
		if g.Step(in).Output == plan.Layer {
			r.Inputs[name] = Mounted{Stack: stackPaths(store, g, in), Steps: g.Stack(in)}
		} else {
			r.Inputs[name] = Mounted{Dir: store.Data(g.Key(in))}
		}
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

func stackPaths(store *layer.Store, g *plan.Graph, id string) []string {
	var paths []string
	for _, l := range g.Stack(id) {
		paths = append(paths, store.Data(g.Key(l)))
	}
	return paths
}

func (l *Local) execute(ctx context.Context, g *plan.Graph, id string, draft *layer.Draft) (layer.Result, error) {
	request, err := Describe(l.Store, g, id, draft)
	if err != nil {
		return layer.Result{}, err
	}
	log, err := os.Create(draft.Log)
	if err != nil {
		return layer.Result{}, err
	}
	defer log.Close()
	pipes, err := newPipes()
	if err != nil {
		return layer.Result{}, err
	}
	var (
		readers sync.WaitGroup
		reply   Reply
		garbled error
	)
	readers.Add(3)
	go func() {
		defer readers.Done()
		defer pipes.request.w.Close()
		// If the child dies early its exit says more than this write would.
		_ = json.NewEncoder(pipes.request.w).Encode(request)
	}()
	go func() {
		defer readers.Done()
		l.copyLog(id, pipes.output.r, log)
	}()
	go func() {
		defer readers.Done()
		reply, garbled = l.readReplies(id, pipes.reply.r)
	}()
	err = sandbox.Child{
		Args: []string{ExecVerb}, Network: request.Step.Network,
		Stdout: pipes.output.w, Stderr: pipes.output.w,
		Files: []*os.File{pipes.request.r, pipes.reply.w},
	}.Run(ctx)
	pipes.closeChildEnds()
	readers.Wait()
	pipes.closeOwnEnds()
	switch {
	case ctx.Err() != nil:
		return layer.Result{}, context.Cause(ctx)
	case reply.Error != "":
		return layer.Result{}, &replyError{reply}
	case err != nil:
		return layer.Result{}, err
	case garbled != nil:
		return layer.Result{}, garbled
	case !reply.Done:
		return layer.Result{}, errors.New("the step's process ended without a word")
	}
	return reply.Result, nil
}

// copyLog writes what comes from r into the log and emits it line by line.
func (l *Local) copyLog(id string, r io.Reader, log io.Writer) {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			// A full disk shows in the step itself; the log is second to it.
			text := event.Mask(string(line))
			_, _ = io.WriteString(log, text)
			l.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepOutput, Step: id, Line: strings.TrimRight(text, "\r\n")})
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// readReplies reads progress and, last, the result. One word too many, or one
// that is none, is a fault: somebody else speaks for the step.
func (l *Local) readReplies(id string, r io.Reader) (last Reply, err error) {
	// Who writes must not wait for a reader that gave up.
	defer io.Copy(io.Discard, r)
	dec := json.NewDecoder(r)
	for {
		var reply Reply
		switch err := dec.Decode(&reply); {
		case errors.Is(err, io.EOF):
			return last, nil
		case err != nil:
			return last, fmt.Errorf("what the step's process says makes no sense: %w", err)
		case last.Done:
			return last, errors.New("the step's process said that it is done, and then went on")
		case reply.Total > 0:
			l.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepProgress, Step: id, Done: reply.Bytes, Total: reply.Total})
		default:
			last = reply
			for i, text := range last.Result.Warnings {
				last.Result.Warnings[i] = event.Mask(text) // they are kept with the result
			}
		}
	}
}

type pipe struct{ r, w *os.File }

type pipes struct{ request, output, reply pipe }

func newPipes() (*pipes, error) {
	var p pipes
	for _, end := range []*pipe{&p.request, &p.output, &p.reply} {
		var err error
		if end.r, end.w, err = os.Pipe(); err != nil {
			return nil, fmt.Errorf("start step: %w", err)
		}
	}
	return &p, nil
}

func (p *pipes) closeChildEnds() {
	p.request.r.Close()
	p.output.w.Close()
	p.reply.w.Close()
}

func (p *pipes) closeOwnEnds() {
	p.output.r.Close()
	p.reply.r.Close()
}
