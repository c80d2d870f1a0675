package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/remote"
)

// Sender is an [engine.Executor] that has steps carried out by workers, all that travel (see [plan.Step.Travels]). If that fails
// for another reason than the step itself, it says so once, and this machine carries the step out.
type Sender struct {
	// Here carries out what the workers do not.
	Here engine.Executor
	// There reaches the workers.
	There remote.Executor
	// URL is what messages call that.
	URL string
	// Platforms returns what workers for the steps of an architecture are asked for.
	Platforms func(arch string) Platform
	// Emulate makes sure that this machine runs programs of an architecture. It is called before it carries out a step that a worker should have.
	Emulate func(ctx context.Context, arch string) error
	Store   *layer.Store
	Sink    event.Sink
	Warn    func(line string)

	mu    sync.Mutex
	gone  bool
	said  map[string]bool
	known map[string]layer.DataSum // of programs and sources, by path
	slots chan struct{}
}

// Platform is what an Action needs of a worker.
type Platform struct {
	// Properties are those of REAPI's Platform.
	Properties map[string]string
	// Program is the absolute path of this program as the worker's architecture runs it.
	Program string
}

// Sends reports whether the step is sent to a worker.
func (s *Sender) Sends(step *plan.Step) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.gone && step.Travels()
}

// Execute implements [engine.Executor].
func (s *Sender) Execute(ctx context.Context, r *engine.Request) (layer.Result, error) {
	if !r.Step.Travels() || r.Shell {
		return s.Here.Execute(ctx, r)
	}
	if s.Sends(&r.Step) {
		result, err := s.send(ctx, r)
		var failed *engine.Failure
		var own *ownError
		switch {
		case err == nil, errors.As(err, &failed):
			return result, err
		case ctx.Err() != nil:
			return result, context.Cause(ctx)
		case errors.As(err, &own):
			return result, own.error
		}
		s.fail(&r.Step, err)
	}
	return s.here(ctx, r)
}

// ownError is an error of this machine, which another way to carry a step out does not help.
type ownError struct{ error }

// unfitError is an error of a worker that others need not have.
type unfitError struct{ message string }

func (u *unfitError) Error() string { return u.message }

// fail says once why a step is carried out here. If it is not only that a worker does not fit, so are all others.
func (s *Sender) fail(step *plan.Step, err error) {
	var unfit *unfitError
	line := fmt.Sprintf("remote execution at %s: %s; the rest of this build runs on this machine", s.URL, strings.TrimPrefix(err.Error(), s.URL+": "))
	if errors.As(err, &unfit) {
		line = fmt.Sprintf("remote execution at %s: %s; such steps run on this machine, the first of them is %s", s.URL, unfit.message, step.ID)
		err = unfit
	}
	s.mu.Lock()
	first := !s.gone && !s.said[err.Error()]
	if s.said == nil {
		s.said = map[string]bool{}
	}
	s.said[err.Error()] = true
	s.gone = s.gone || unfit == nil
	s.mu.Unlock()
	if first {
		s.Warn(line)
	}
}

// here carries out a step on this machine that a worker should have had. There may be more of them than this machine is to do
// at once.
func (s *Sender) here(ctx context.Context, r *engine.Request) (layer.Result, error) {
	s.mu.Lock()
	if s.slots == nil {
		s.slots = make(chan struct{}, runtime.NumCPU())
	}
	slots := s.slots
	s.mu.Unlock()
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return layer.Result{}, context.Cause(ctx)
	}
	defer func() { <-slots }()
	if err := s.Emulate(ctx, r.Step.Arch); err != nil {
		return layer.Result{}, err
	}
	return s.Here.Execute(ctx, r)
}

// send has a step carried out by a worker.
func (s *Sender) send(ctx context.Context, r *engine.Request) (layer.Result, error) {
	platform := s.Platforms(r.Step.Arch)
	if platform.Program == "" {
		return layer.Result{}, &unfitError{fmt.Sprintf("workers for %s need a program for it, which --remote-program %s=FILE gives", r.Step.Arch, r.Step.Arch)}
	}
	action, err := s.action(r, platform)
	if err != nil {
		return layer.Result{}, &ownError{err}
	}
	log, err := os.Create(r.Log)
	if err != nil {
		return layer.Result{}, &ownError{err}
	}
	defer log.Close()
	action.Again = r.Again
	for {
		lines := &lines{emit: func(line string) {
			line = event.Mask(line)
			_, _ = fmt.Fprintln(log, line)
			s.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepOutput, Step: r.Step.ID, Line: line})
		}}
		action.Output = lines
		done, err := s.There.Run(ctx, action)
		lines.end()
		if err != nil {
			return layer.Result{}, err
		}
		result, err := s.receive(ctx, r, done, lines.last)
		if errors.Is(err, remote.ErrMissing) && !action.Again {
			// It was evicted meanwhile, so the step is carried out once more.
			action.Again = true
			continue
		}
		return result, err
	}
}

// lines calls emit with each line that is written.
type lines struct {
	emit func(line string)
	rest []byte
	last string
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := strings.Cut(string(l.rest), "\n")
		if !ok {
			return len(p), nil
		}
		l.rest = []byte(rest)
		l.line(line)
	}
}

func (l *lines) line(line string) {
	l.last = strings.TrimRight(line, "\r")
	l.emit(l.last)
}

// end emits a last line without an end.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.line(string(l.rest))
		l.rest = nil
	}
}

// workerName is how messages call the machine that carried an Action out.
func workerName(done *remote.Done) string {
	if done.Worker == "" {
		return "the worker"
	}
	return "the worker " + diag.Visible(done.Worker)
}
