package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/task"
)

// StepExec carries out the step that is written on r, by one of the actions and its
// family of distributions, as the first process of namespaces of its own (see sandbox.Child), and writes replies to w.
func StepExec(ctx context.Context, actions task.Actions, families distro.Families, r io.Reader, w io.Writer) error {
	var req Request
	if err := json.NewDecoder(r).Decode(&req); err != nil {
		return fmt.Errorf("read step: %w", err)
	}
	replies := &replier{enc: json.NewEncoder(w)}
	if !req.Shell { // a person's shell is not traced
		ctx = event.Within(ctx, replies)
	}
	result, err := carryOut(ctx, actions, families, &req, replies)
	used := sandbox.Used()
	event.From(ctx).Emit(event.Event{Time: time.Now(), Kind: event.StepUsed, Usage: &used})
	reply := Reply{Done: true, Result: result}
	var ended *diag.Ended
	if errors.As(err, &ended) {
		reply.Status = ended.Status
	} else if err != nil {
		reply.Error = err.Error()
		errors.As(err, &reply.Fault)
		var of *diag.OfPaths
		if errors.As(err, &of) {
			reply.Paths = of.Paths
		}
		var exit *sandbox.ExitError
		if errors.As(err, &exit) {
			again := exit.Command
			again.Root = ""
			reply.Command = again.String()
		}
	}
	return replies.send(reply)
}

type replier struct {
	mu   sync.Mutex
	enc  *json.Encoder
	last time.Time
}

func (r *replier) send(reply Reply) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.enc.Encode(reply)
}

// Emit implements [event.Sink]. The reader may have gone; the step continues until it is
// killed.
func (r *replier) Emit(e event.Event) { _ = r.send(Reply{Event: &e}) }

// Close implements [event.Sink].
func (r *replier) Close() error { return nil }

// progress sends ten replies a second at the most.
func (r *replier) progress(done, total int64) { r.counted(done, total, "") }

func (r *replier) counted(done, total int64, unit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if total <= 0 || (done < total && time.Since(r.last) < 100*time.Millisecond) {
		return
	}
	r.last = time.Now()
	// The reader may have gone; the step continues until it is killed.
	_ = r.enc.Encode(Reply{Bytes: done, Total: total, Unit: unit})
}

func carryOut(ctx context.Context, actions task.Actions, families distro.Families, req *Request, replies *replier) (layer.Result, error) {
	var family distro.Distro
	var hostFiles []string
	if name := req.Step.Family; name != "" {
		var err error
		if family, err = families.Of(name); err != nil {
			return layer.Result{}, err
		}
		hostFiles = family.HostFiles()
	}
	if err := sandbox.Enter(req.Step.Network, reach(req, hostFiles)); err != nil {
		return layer.Result{}, err
	}
	if err := sandbox.SuppressSync(); err != nil {
		return layer.Result{}, err
	}
	var t *task.Task
	if err := event.Timed(ctx, "mount", func() (err error) {
		t, err = mountTask(req)
		return err
	}); err != nil {
		return layer.Result{}, err
	}
	t.Distro, t.Log, t.Progress, t.Counted = family, os.Stdout, replies.progress, replies.counted
	if req.Shell {
		status, err := actions.Shell(ctx, t)
		if err == nil && status != 0 {
			err = &diag.Ended{Status: status}
		}
		return layer.Result{}, err
	}
	if req.Looks != "" {
		// If it can't be recorded, the parent process knows.
		sandbox.Record(os.NewFile(recordFile, "record"), t.Tree)
	}
	if err := event.Timed(ctx, "action "+req.Step.Action, func() error { return actions.Do(ctx, t) }); err != nil {
		return layer.Result{Warnings: t.Warnings}, err
	}
	return finish(ctx, req, t)
}

// finish completes what the action made, and describes it.
func finish(ctx context.Context, req *Request, t *task.Task) (layer.Result, error) {
	if req.Step.Output == plan.Layer {
		if err := event.Timed(ctx, "set times", func() error { return finishLayer(req, t) }); err != nil {
			return layer.Result{}, err
		}
	}
	if err := event.Timed(ctx, "look for secrets", func() error { return keepSecrets(req) }); err != nil {
		return layer.Result{Warnings: t.Warnings}, err
	}
	removed := make(chan error, 1)
	go func() { removed <- layer.RemoveAll(t.Unneeded) }()
	var files []layer.File
	if err := event.Timed(ctx, "hash artifacts", func() (err error) {
		files, err = hashArtifacts(&req.Step, req.Data)
		return errors.Join(err, <-removed)
	}); err != nil {
		return layer.Result{}, err
	}
	return layer.Result{Epoch: t.Epoch, Facts: t.Facts, Warnings: t.Warnings, Files: files}, nil
}

// mountTask mounts what the step works on, below the draft's directory.
func mountTask(req *Request) (*task.Task, error) {
	t := &task.Task{
		Step: &req.Step, Secrets: req.Secrets, Scratch: req.Scratch, Epoch: req.Epoch, ToolStack: req.Tools,
		Inputs: map[string]string{}, Sources: map[string]string{}, Facts: map[string]string{}, Layers: map[string][]task.Layer{},
	}
	mounts := filepath.Join(filepath.Dir(req.Data), "mounts")
	mountpoint := func(name string) (string, error) {
		dir := filepath.Join(mounts, name)
		return dir, os.MkdirAll(dir, 0o755)
	}
	upper, work := req.Data, req.Work
	if req.Step.Output == plan.Dir {
		t.Out = req.Data
		// A Dir step's changes to its tree are thrown away.
		upper, work = filepath.Join(mounts, "upper"), filepath.Join(mounts, "work")
		for _, dir := range []string{upper, work} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case len(req.Base) > 0:
		tree, err := mountpoint("tree")
		if err != nil {
			return nil, err
		}
		if err := layer.Mount(tree, req.Base, upper, work); err != nil {
			return nil, err
		}
		t.Tree = tree
	case req.Step.Output == plan.Layer:
		t.Tree = req.Data
	}
	for name, in := range req.Inputs {
		if in.Dir != "" {
			t.Inputs[name] = in.Dir
			continue
		}
		dir, err := mountpoint("in/" + name)
		if err != nil {
			return nil, err
		}
		if err := layer.Mount(dir, in.Stack, "", ""); err != nil {
			return nil, err
		}
		t.Inputs[name] = dir
		for i, layer := range in.Stack {
			t.Layers[name] = append(t.Layers[name], task.Layer{Step: in.Steps[i], Dir: layer})
		}
	}
	for _, src := range req.Step.Sources {
		t.Sources[src.Name] = src.Path
	}
	return t, nil
}

// finishLayer takes the mounts off the tree and gives what was made during the
// step the time of the epoch, so that the layer's bytes do not tell when, or
// where.
func finishLayer(req *Request, t *task.Task) error {
	if err := t.Release(); err != nil {
		return err
	}
	if len(req.Base) > 0 {
		if err := layer.Unmount(t.Tree); err != nil {
			return err
		}
	}
	return settle(req.Data, t.Epoch)
}

func settle(dir string, epoch int64) error {
	at := []unix.Timespec{{Sec: epoch}, {Sec: epoch}}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
		if err := layer.ForgetHost(path); err != nil {
			return err
		}
		if st.Mtim.Sec <= epoch {
			return nil
		}
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, at, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return &fs.PathError{Op: "utimes", Path: path, Err: err}
		}
		return nil
	})
}

// hashArtifacts describes the step's artifacts. One that is missing is a fault
// of the action.
func hashArtifacts(s *plan.Step, data string) ([]layer.File, error) {
	var files []layer.File
	for _, a := range s.Artifacts {
		path := filepath.Join(data, a.Path)
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("step %s did not make its artifact: %w", s.ID, err)
		}
		f := layer.File{Name: a.Name, Path: a.Path, Size: info.Size()}
		if a.Kind == plan.FileArtifact {
			if f.SHA256, err = layer.HashWritten(path); err != nil {
				return nil, err
			}
		} else {
			f.Size = layer.DiskUsage(path)
		}
		files = append(files, f)
	}
	return files, nil
}
