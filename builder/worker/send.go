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
	"sync/atomic"
	"time"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/remote"
)

// Sender is an [engine.Executor] that sends steps to workers. Steps that do not travel (see [plan.Step.Travels]) run on this machine. A
// step that a worker could not carry out runs on this machine, too, and Sender warns once for each reason. If a step fails on a worker, the
// build fails.
type Sender struct {
	// Here carries out steps on this machine.
	Here engine.Executor
	// There connects to the server of the workers.
	There *Server
	// Platforms returns the properties and the program of workers for an architecture. Program is "" if it is not known.
	Platforms func(arch string) Platform
	// Emulate returns an error if this machine cannot run programs of an architecture. It is called before a worker's step runs on this
	// machine.
	Emulate func(ctx context.Context, arch string) error
	// Store has the results that the steps work on.
	Store *layer.Store
	// Sink gets the events and the lines of output of steps.
	Sink event.Sink
	// Warn prints a warning of one line.
	Warn func(line string)

	sent, kept atomic.Int64 // the numbers of steps that workers and this machine carried out

	mu    sync.Mutex
	ahead map[string]*left // the outputs of later steps of chains, by key, until the engine asks for these steps
}

// Counts returns the number of steps that workers have carried out so far, and the number of steps that this machine has carried out. If
// the server already had the result of a step, the step counts as carried out by workers.
func (s *Sender) Counts() (workers, here int) { return int(s.sent.Load()), int(s.kept.Load()) }

// Platform describes the workers that can carry out an Action.
type Platform struct {
	// Properties are the platform properties of the Remote Execution API.
	Properties map[string]string
	// Program is the path, on this machine, of this program for the architecture of the workers.
	Program string
}

// Sends reports whether the step is sent to a worker.
func (s *Sender) Sends(step *plan.Step) bool {
	return step.Travels() && !s.There.isGone()
}

// Execute implements [engine.Executor].
func (s *Sender) Execute(ctx context.Context, r *engine.Request) (layer.Result, error) {
	if !r.Step.Travels() || r.Shell {
		s.kept.Add(1)
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
			s.sent.Add(1)
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

// ownError is an error of this machine. It fails the step, because the step would fail in the same way without workers.
type ownError struct{ error }

// unfitError is an error of a worker, or of a kind of step. Other steps are still sent.
type unfitError struct{ message string }

func (u *unfitError) Error() string { return u.message }

// fail warns that a step runs on this machine, once for each reason. After an error that is not an unfitError, steps are not sent any more.
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

// here carries out a worker's step on this machine. Many such steps can come at the same time, so slots limits the number that run at once.
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
	s.kept.Add(1)
	return s.Here.Execute(ctx, r)
}

// send sends a step to a worker, and returns its result.
func (s *Sender) send(ctx context.Context, r *engine.Request) (layer.Result, error) {
	platform := s.Platforms(r.Step.Arch)
	if platform.Program == "" {
		return layer.Result{}, &unfitError{fmt.Sprintf("workers for %s need a program for this architecture: add --remote-program %s=FILE", r.Step.Arch, r.Step.Arch)}
	}
	action, err := s.action(r, platform)
	if err != nil {
		// Unless the inputs are damaged, the step can run on this machine.
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
			// The server has removed an output meanwhile. So the step is carried out once more.
			action.Again = true
			continue
		}
		return result, err
	}
}

// run executes an Action, and returns the outputs of its first step. It keeps the outputs of the other steps for carriedOut.
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
				_ = log.Truncate(0) // a step does not fail if its log cannot be written
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

// line writes a line of a step's output into the step's log, and emits it. The line includes its end of line.
func (s *Sender) line(r *engine.Request, log io.Writer, line string) {
	_, _ = io.WriteString(log, line) // a step does not fail if its log cannot be written
	s.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepOutput, Step: r.Step.ID, Line: strings.TrimRight(line, "\r\n")})
}

// carriedOut returns the result of a step that was carried out in the Action of an earlier step of its chain. ok is false if the step was
// not carried out there, or if its outputs are missing.
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

// lines divides the output of an Action into lines. It calls emit with each line, including its end of line, and with the number of the
// step that wrote the line. It calls again at the heading of the first step: earlier lines are from a lost execution.
type lines struct {
	headings []string // the headings of the steps, in their order
	emit     func(n int, line string)
	again    func()
	at       int    // the step that writes now
	rest     []byte // a line without its end so far
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
	case strings.HasSuffix(text, l.headings[0]): // a part of a line of a lost execution can come before the heading
		l.at = 0
		l.again()
	case at == l.at+1:
		l.at = at
	default:
		l.emit(l.at, line)
	}
}

// end emits the last line if it does not have an end of line.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.line(string(l.rest))
		l.rest = nil
	}
}
