package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/task"
)

// Work carries out the order in the working directory, and writes the outputs there. w gets the lines of the steps. actions are the actions
// of this program. The machine that sends the order can have another version of the program. families find out whether this machine has the
// programs that steps need. If a step fails, its reply has the error, and Work returns a [*diag.Ended].
func Work(ctx context.Context, actions task.Actions, families distro.Families, w io.Writer) error {
	raw, err := os.ReadFile(orderFile)
	if err != nil {
		return err
	}
	var o order
	if err := json.Unmarshal(raw, &o); err != nil || o.Format != orderFormat {
		return fmt.Errorf("%s is not an order of this version of the program", orderFile)
	}
	if os.Geteuid() != 0 {
		return unfit(0, fmt.Errorf("it runs commands as user %d, and steps need root", os.Geteuid()))
	}
	if rights := sandbox.Lacks(); len(rights) > 0 {
		return unfit(0, fmt.Errorf("its root lacks %s: it needs all rights of root, as in a privileged container", strings.Join(rights, ", ")))
	}
	if sandbox.InUserNamespace() {
		return unfit(0, errors.New("it is in a user namespace, as in a container without root or with mapped users: it needs the root of the machine, as in a privileged container that root starts"))
	}
	kept, err := openKept(keptDir)
	if err != nil {
		return unfit(0, err)
	}
	defer kept.store.Close()
	if err := kept.shrink(); err != nil {
		return unfit(0, err)
	}
	run := &run{kept: kept, actions: actions, families: families, out: w}
	for n := range o.Steps {
		if err := run.step(ctx, n, &o.Steps[n]); err != nil {
			return err
		}
	}
	return nil
}

// unfit writes a reply with an error of this worker, and returns the error: the n-th step was not carried out.
func unfit(n int, err error) error {
	return errors.Join(err, writeReply(n, &engine.Reply{Error: err.Error()}))
}

// run is the state of an order that is being carried out.
type run struct {
	kept     *kept
	actions  task.Actions
	families distro.Families
	out      io.Writer
	// sums are the SHA-256 of the packed data of the steps so far. results are the results of these steps.
	sums    []string
	results []layer.Result
}

// step carries out the n-th step, and writes its reply.
func (r *run) step(ctx context.Context, n int, o *ordered) error {
	fmt.Fprintln(r.out, heading(o.Request.Step.ID, o.Key))
	draft, err := r.kept.store.Begin(o.Key)
	if err != nil {
		return unfit(n, r.explain(err))
	}
	result, err := r.carryOut(ctx, n, o, draft)
	if err == nil {
		err = r.keep(n, draft, result)
	}
	if err == nil {
		return writeReply(n, &engine.Reply{Done: true, Result: result})
	}
	var failed *engine.Failure
	if errors.As(err, &failed) && r.hasSpace() {
		// Only the reply has the error. In the output, the error would be an extra line. The log of a step that fails on the machine that
		// builds does not have this line.
		err = errors.Join(&diag.Ended{Status: 1}, writeReply(n, &engine.Reply{
			Done: true, Error: failed.Error(), Command: failed.Command, Fault: failed.Fault, Paths: failed.Paths, Result: layer.Result{Warnings: failed.Warnings},
		}))
	} else {
		err = unfit(n, r.explain(&without{err, draft.Dir}))
	}
	draft.Abort()
	return err
}

// carryOut carries out the n-th step in its draft.
func (r *run) carryOut(ctx context.Context, n int, o *ordered, draft *layer.Draft) (layer.Result, error) {
	var none layer.Result
	draft.Layer = o.Request.Step.Output == plan.Layer
	if err := r.actions.Has(&o.Request.Step); err != nil {
		return none, fmt.Errorf("it has another version of this program: %w; --remote-program must name a program of the same version", err)
	}
	if err := r.hasProgram(ctx, &o.Request.Step); err != nil {
		return none, err
	}
	request, err := r.request(ctx, o, draft)
	if err != nil {
		return none, err
	}
	if err := os.MkdirAll(filepath.Dir(output(n, eventsOutput)), 0o755); err != nil {
		return none, err
	}
	sink, err := newSink(output(n, eventsOutput))
	if err != nil {
		return none, err
	}
	start := time.Now()
	out := &wholeLines{to: r.out}
	result, err := (&engine.Local{Sink: sink, Output: out}).Execute(ctx, request)
	out.end()
	result.Duration = time.Since(start)
	if err = errors.Join(err, sink.Close()); err != nil || request.Looks == "" {
		return result, err
	}
	if err := copyFile(output(n, looksOutput), request.Looks); !errors.Is(err, os.ErrNotExist) {
		return result, err
	}
	return result, nil
}

// hasProgram returns an error if the step runs a program of the machine (see [plan.Step]) that this machine does not have in this version.
func (r *run) hasProgram(ctx context.Context, s *plan.Step) error {
	if s.Program == "" {
		return nil
	}
	family, err := r.families.Of(s.Family)
	if err != nil {
		return err
	}
	if has, err := family.Bootstrapper(ctx); err != nil || has != s.Program {
		if err != nil {
			has = err.Error()
		}
		return fmt.Errorf("it does not have %s, as the machine that asks for the step has: %s", s.Program, has)
	}
	return nil
}

// hasSpace reports whether the disk is not full. If it is full, the failure of a step counts as a failure of the worker.
func (r *run) hasSpace() bool {
	free, err := layer.FreeSpace(r.kept.dir)
	var st unix.Statfs_t
	if err == nil {
		err = unix.Statfs(r.kept.dir, &st)
	}
	// Some file systems do not count files.
	return err != nil || free > leastSpace && (st.Files == 0 || st.Ffree > leastFiles)
}

// explain replaces an error by "the disk is full" if a full disk can be its cause. The original error is dropped: it differs from step to
// step, and the machine that builds warns of each different error.
func (r *run) explain(err error) error {
	if r.hasSpace() && !errors.Is(err, unix.ENOSPC) {
		return err
	}
	return fmt.Errorf("the disk with %s is full or nearly full", r.kept.dir)
}

// The disk of a worker counts as full if it has less space than leastSpace, in bytes, or room for fewer files than leastFiles.
const (
	leastSpace = 256 << 20
	leastFiles = 1000
)

// request returns the request of a step, with paths of this machine.
func (r *run) request(ctx context.Context, o *ordered, draft *layer.Draft) (*engine.Request, error) {
	q := o.Request
	q.Data, q.Work, q.Scratch, q.Log = draft.Data, draft.Work, draft.Scratch, draft.Log
	if q.Looks != "" {
		q.Looks = filepath.Join(draft.Dir, "looked")
	}
	open := func(names []string) (dirs []string, err error) {
		for _, name := range names {
			dir, err := r.open(ctx, name, &q)
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, dir)
		}
		return dirs, nil
	}
	var err error
	if q.Base, err = open(q.Base); err != nil {
		return nil, err
	}
	if q.Tools, err = open(q.Tools); err != nil {
		return nil, err
	}
	for name, in := range q.Inputs {
		if in.Dir != "" {
			in.Dir, err = r.open(ctx, in.Dir, &q)
		} else {
			in.Stack, err = open(in.Stack)
		}
		if err != nil {
			return nil, err
		}
		q.Inputs[name] = in
	}
	for i := range q.Step.Sources {
		if err := unpackSource(&q.Step.Sources[i], filepath.Join(draft.Dir, "sources")); err != nil {
			return nil, err
		}
	}
	return &q, nil
}

// open returns the directory for a name of an order: the SHA-256 of packed data, or [engine.Made]. If the result was made here, its request
// does not have its epoch yet, so open adds the epoch to the request.
func (r *run) open(ctx context.Context, name string, q *engine.Request) (string, error) {
	for n, sum := range r.sums {
		if name == engine.Made(n) {
			q.Epoch = max(q.Epoch, r.results[n].Epoch)
			return r.kept.open(ctx, sum, output(n, dataOutput))
		}
	}
	return r.kept.open(ctx, name, filepath.Join(packs, name))
}

// unpackSource unpacks a source into the directory dir, and sets its path. Before, the path is the SHA-256 of the packed source.
func unpackSource(s *plan.Source, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(packs, s.Path))
	if err != nil {
		return err
	}
	defer f.Close()
	at := filepath.Join(dir, s.Path)
	if _, err := os.Lstat(at); err == nil {
		s.Path = at // another source has the same content
		return nil
	}
	s.Path = at
	return layer.UnpackFiles(f, at)
}

// keep packs a result into the outputs, and stores it for later steps and Actions.
func (r *run) keep(n int, draft *layer.Draft, result layer.Result) error {
	f, err := os.Create(output(n, dataOutput))
	if err != nil {
		return err
	}
	sum, err := layer.SumOf(func(w io.Writer) error { return draft.PackData(io.MultiWriter(f, w), result) })
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	r.sums, r.results = append(r.sums, sum.SHA256), append(r.results, result)
	// If the store already has the same data, it keeps its copy. The next step checks the copy before it uses it.
	_, err = r.kept.store.PutAs(draft, sum.SHA256, record(sum.Size))
	return err
}

func writeReply(n int, reply *engine.Reply) error {
	raw, err := json.Marshal(reply)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(output(n, replyOutput)), 0o755)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(output(n, replyOutput), raw, 0o644)
}

func copyFile(to, from string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o644)
}

// wholeLines writes to another writer. The method end adds an end of line to the last line if it is missing.
type wholeLines struct {
	to   io.Writer
	part bool // the last line does not have an end
}

// Write implements [io.Writer].
func (w *wholeLines) Write(p []byte) (int, error) {
	if len(p) > 0 {
		w.part = p[len(p)-1] != '\n'
	}
	return w.to.Write(p)
}

func (w *wholeLines) end() {
	if w.part {
		fmt.Fprintln(w.to)
	}
}

// sink writes events into a file.
type sink struct {
	file *os.File
	enc  *json.Encoder
}

func newSink(path string) (*sink, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &sink{f, json.NewEncoder(f)}, nil
}

// Emit implements [event.Sink].
func (s *sink) Emit(e event.Event) {
	switch e.Kind {
	case event.Part, event.Command, event.StepUsed:
		_ = s.enc.Encode(e) // if the disk is full, the step fails, too
	}
}

// Close implements [event.Sink].
func (s *sink) Close() error { return s.file.Close() }
