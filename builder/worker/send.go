package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

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
	There *Server
	// Platforms returns what workers for the steps of an architecture are asked for.
	Platforms func(arch string) Platform
	// Emulate makes sure that this machine runs programs of an architecture. It is called before it carries out a step that a worker should have.
	Emulate func(ctx context.Context, arch string) error
	Store   *layer.Store
	Sink    event.Sink
	Warn    func(line string)

	mu    sync.Mutex
	ahead map[string]*left // of steps that were carried out and not asked for, by key
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
	return step.Travels() && !s.There.isGone()
}

// Execute implements [engine.Executor].
func (s *Sender) Execute(ctx context.Context, r *engine.Request) (layer.Result, error) {
	if !r.Step.Travels() || r.Shell {
		return s.Here.Execute(ctx, r)
	}
	if s.Sends(&r.Step) {
		result, ok, err := s.carriedOut(ctx, r)
		if !ok {
			result, err = s.send(ctx, r)
		}
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
	line := fmt.Sprintf("remote execution at %s: %s; the rest of this build runs on this machine", s.There.url, strings.TrimPrefix(err.Error(), s.There.url+": "))
	if errors.As(err, &unfit) {
		line = fmt.Sprintf("remote execution at %s: %s; such steps run on this machine, the first of them is %s", s.There.url, unfit.message, step.ID)
		err = unfit
	}
	if s.There.fails(err.Error(), unfit == nil) {
		s.Warn(line)
	}
}

// here carries out a step on this machine that a worker should have had. There may be more of them than this machine is to do
// at once.
func (s *Sender) here(ctx context.Context, r *engine.Request) (layer.Result, error) {
	select {
	case s.There.slots <- struct{}{}:
	case <-ctx.Done():
		return layer.Result{}, context.Cause(ctx)
	}
	defer func() { <-s.There.slots }()
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
		// This machine can work on them, unless they are damaged.
		return layer.Result{}, &unfitError{fmt.Sprintf("the inputs of a step cannot be sent: %v", err)}
	}
	action.Again = r.Again
	for {
		done, err := s.run(ctx, r, action)
		if err != nil {
			return layer.Result{}, err
		}
		result, err := s.receive(ctx, r, done)
		if errors.Is(err, remote.ErrMissing) && !action.Again {
			// It was evicted meanwhile, so the step is carried out once more.
			action.Again = true
			continue
		}
		return result, err
	}
}

// run has an Action carried out, and keeps what it leaves for other steps than the first one until they are asked for.
func (s *Sender) run(ctx context.Context, r *engine.Request, action *remote.Action) (*left, error) {
	log, err := os.Create(r.Log)
	if err != nil {
		return nil, &ownError{err}
	}
	defer log.Close()
	steps := []*left{{}}
	headings := []string{heading(r.Step.ID, r.Key)}
	for n, then := range r.Then {
		steps, headings = append(steps, &left{n: n + 1}), append(headings, heading(then.Step.ID, then.Key))
	}
	out := &lines{
		headings: headings,
		emit: func(n int, line string) {
			line = event.Mask(line)
			steps[n].lines = append(steps[n].lines, line)
			if n == 0 {
				s.line(r, log, line)
			}
		},
		again: func() {
			for _, l := range steps {
				l.lines = nil
			}
			if _, err := log.Seek(0, io.SeekStart); err == nil {
				_ = log.Truncate(0) // the log is second to the step
			}
		},
	}
	action.Output = out
	var done *remote.Done
	err = event.Timed(ctx, "execute", func() (err error) {
		done, err = s.There.Run(ctx, action)
		return err
	})
	out.end()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, l := range steps {
		l.Done = done
		if n > 0 {
			if s.ahead == nil {
				s.ahead = map[string]*left{}
			}
			s.ahead[r.Then[n-1].Key] = l
		}
	}
	return steps[0], nil
}

// line writes a line of a step's output, with its end, into its log, and emits it.
func (s *Sender) line(r *engine.Request, log io.Writer, line string) {
	// A full disk shows in the step itself; the log is second to it.
	_, _ = io.WriteString(log, line)
	s.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepOutput, Step: r.Step.ID, Line: strings.TrimRight(line, "\r\n")})
}

// carriedOut takes what an Action has left for a step that was carried out together with one before it. ok is false if there
// is nothing.
func (s *Sender) carriedOut(ctx context.Context, r *engine.Request) (result layer.Result, ok bool, err error) {
	s.mu.Lock()
	done := s.ahead[r.Key]
	delete(s.ahead, r.Key)
	s.mu.Unlock()
	if done == nil || r.Again {
		return result, false, nil
	}
	if _, there := done.Outputs[done.name(replyOutput)]; !there {
		return result, false, nil
	}
	log, err := os.Create(r.Log)
	if err != nil {
		return result, true, &ownError{err}
	}
	defer log.Close()
	for _, line := range done.lines {
		s.line(r, log, line)
	}
	result, err = s.receive(ctx, r, done)
	return result, !errors.Is(err, remote.ErrMissing), err
}

// lines calls emit with each line that is written, with its end, and with the number of the step that wrote it. It calls again if the steps
// begin: what was written before is of an execution that was lost.
type lines struct {
	headings []string
	emit     func(n int, line string)
	again    func()
	at       int
	rest     []byte
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		n := bytes.IndexByte(l.rest, '\n') + 1
		if n > engine.LongestLine || n == 0 && len(l.rest) >= engine.LongestLine {
			n = engine.LongestLine
		}
		if n == 0 {
			return len(p), nil
		}
		l.line(string(l.rest[:n]))
		l.rest = l.rest[n:]
	}
}

func (l *lines) line(line string) {
	text := strings.TrimSuffix(line, "\n")
	switch at := slices.Index(l.headings, text); {
	case strings.HasSuffix(text, l.headings[0]): // an execution that was lost may leave a part of a line
		l.at = 0
		l.again()
	case at == l.at+1:
		l.at = at
	default:
		l.emit(l.at, line)
	}
}

// end emits a last line without an end.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.line(string(l.rest))
		l.rest = nil
	}
}
