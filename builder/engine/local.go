package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/secret"
)

// Local carries steps out on this machine, each in a child process with
// namespaces of its own.
type Local struct {
	Sink event.Sink
	// Output gets the output of steps, without secrets. If it is nil, the output becomes events, one for each line.
	Output io.Writer
}

// Execute implements [Executor].
func (l *Local) Execute(ctx context.Context, request *Request) (layer.Result, error) {
	id, words := request.Step.ID, secret.Find(request.Secrets)
	log, err := os.Create(request.Log)
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
		l.copyLog(id, pipes.output.r, log, words)
	}()
	go func() {
		defer readers.Done()
		reply, garbled = l.readReplies(id, pipes.reply.r, words)
	}()
	err = start(ctx, request, pipes)
	pipes.closeChildEnds()
	readers.Wait()
	pipes.closeOwnEnds()
	switch {
	case ctx.Err() != nil:
		return layer.Result{}, context.Cause(ctx)
	case reply.Error != "":
		return layer.Result{}, &Failure{reply.Command, reply.Fault, reply.Paths, reply.Result.Warnings, errors.New(reply.Error)}
	case errors.Is(err, sandbox.ErrNoSandbox):
		return layer.Result{}, diag.Hostf("a step runs in namespaces of its own, which this machine does not allow: %v. In a container, start it with --privileged (docs/containers.md)", err)
	case err != nil:
		return layer.Result{}, err
	case garbled != nil:
		return layer.Result{}, garbled
	case !reply.Done:
		return layer.Result{}, errors.New("the step's process ended without a report")
	}
	return reply.Result, nil
}

// start has the step's process run, recorded if that is asked for.
func start(ctx context.Context, request *Request, pipes *pipes) error {
	child := sandbox.Child{
		Args: []string{ExecVerb}, Network: request.Step.Network,
		Stdout: pipes.output.w, Stderr: pipes.output.w,
		Files: []*os.File{pipes.request.r, pipes.reply.w},
	}
	if request.Looks == "" {
		return child.Run(ctx)
	}
	recorder, err := sandbox.NewRecorder()
	if err != nil {
		return err
	}
	child.Files = append(child.Files, recorder.End)
	err = child.Run(ctx)
	looks := recorder.Finish()
	switch {
	case err != nil:
		return err
	case looks.Whole:
		return writeLooks(request.Looks, looks)
	}
	fmt.Fprintf(pipes.output.w, "what this step looked at is not known (%s), so it will run for each new tree\n", looks.Why)
	return nil
}

// LongestLine is the largest number of bytes of a line of output. A longer line is divided into several.
const LongestLine = 64 << 10

// copyLog writes what comes from r into the log and emits it line by line, without
// secrets.
func (l *Local) copyLog(id string, r io.Reader, log io.Writer, words *secret.Words) {
	lines := bufio.NewReaderSize(r, LongestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			// A full disk shows in the step itself; the log is second to it.
			text := words.Mask(event.Mask(string(line)))
			_, _ = io.WriteString(log, text)
			if l.Output != nil {
				_, _ = io.WriteString(l.Output, text)
			} else {
				l.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepOutput, Step: id, Line: strings.TrimRight(text, "\r\n")})
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// readReplies reads progress and, last, the result. A reply too many, or
// text that is not a reply, is a fault: something else has written it.
func (l *Local) readReplies(id string, r io.Reader, words *secret.Words) (last Reply, err error) {
	// The writer must not wait for a reader that gave up.
	defer io.Copy(io.Discard, r)
	dec := json.NewDecoder(r)
	for {
		var reply Reply
		switch err := dec.Decode(&reply); {
		case errors.Is(err, io.EOF):
			return last, nil
		case err != nil:
			return last, fmt.Errorf("the report of the step's process cannot be read: %w", err)
		case last.Done:
			return last, errors.New("the step's process reported its end, but continued to run")
		case reply.Event != nil:
			l.hear(id, reply.Event, words)
		case reply.Total > 0:
			done := min(max(reply.Bytes, 0), reply.Total)
			l.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepProgress, Step: id, Done: done, Total: reply.Total, Unit: event.CleanLine(reply.Unit)})
		default:
			last = reply
			last.Error, last.Command = words.Mask(last.Error), words.Mask(last.Command)
			if last.Fault != nil {
				for _, fault := range last.Fault.All() {
					fault.Detail = words.Mask(fault.Detail)
				}
			}
			for i, text := range last.Result.Warnings {
				last.Result.Warnings[i] = words.Mask(event.Mask(text)) // they are kept with the result
			}
		}
	}
}

// Hear emits the events of a step that another machine has carried out. events has them as JSON, one after the other.
func (l *Local) Hear(id string, events []byte) error {
	dec := json.NewDecoder(bytes.NewReader(events))
	for {
		var e event.Event
		switch err := dec.Decode(&e); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the events of %s: %w", id, err)
		}
		l.hear(id, &e, nil)
	}
}

// hear emits an event of the step's process, without secrets.
func (l *Local) hear(id string, e *event.Event, words *secret.Words) {
	switch e.Kind {
	case event.Part, event.Command, event.StepUsed:
		mask := func(text string) string { return words.Mask(event.Mask(text)) }
		l.Sink.Emit(event.Event{
			Time: e.Time, Kind: e.Kind, Step: id, Title: mask(e.Title), Argv: event.MaskAll(e.Argv, mask), Status: e.Status, Error: mask(e.Error), Duration: e.Duration, Usage: e.Usage,
		})
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
