package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
)

// Result describes both builds and their differences.
type Result struct {
	Flavour string `json:"flavour"`
	// Same reports whether both builds made the same artifacts, by the same keys.
	Same   bool   `json:"same"`
	Commit string `json:"commit,omitempty"`
	// Packages is what both builds chose their packages by, such as "the lock FILE".
	Packages  string     `json:"packages"`
	Perturbed []Change   `json:"perturbed"`
	Artifacts []Artifact `json:"artifacts"`
	// Replanned are steps that have another key in the second build.
	Replanned []string `json:"replanned"`
	Origins   []Origin `json:"origins"`
	// Layers is how many steps left something else. If Same is set, no artifact has it.
	Layers int `json:"other_results"`
	// Published is how the build compares with [Options.Against].
	Published *Against `json:"published,omitempty"`
	// Kept is the directory of both outputs, with [Options.Keep].
	Kept   string        `json:"kept,omitempty"`
	First  time.Duration `json:"first_ns"`
	Second time.Duration `json:"second_ns"`
	made   *made
}

// made is what the first build made.
type made struct {
	*build.Made
	public string
}

// Run builds twice and compares.
func Run(ctx context.Context, o Options) (r *Result, err error) {
	w, err := o.workplace()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r = &Result{Flavour: o.Subject.Flavour()}
	if err := w.first(ctx, r); err != nil {
		return nil, err
	}
	defer r.made.Close()
	if o.Against != nil {
		if r.Published, err = o.Against.against(ctx, r.made.Manifest); err != nil {
			return nil, err
		}
	}
	if err := w.second(ctx, r); err != nil {
		return nil, err
	}
	r.Same = len(r.Replanned) == 0
	for _, a := range r.Artifacts {
		r.Same = r.Same && a.Same
	}
	if o.Keep {
		w.kept, r.Kept = true, w.dir
	}
	return r, nil
}

// workplace is where a verification works.
type workplace struct {
	Options
	dir    string
	unlock func()
	kept   bool
}

func (o Options) workplace() (*workplace, error) {
	all := filepath.Join(o.Builder.Output(o.Subject).Root(), ".private", "verify")
	if err := os.MkdirAll(all, 0o755); err != nil {
		return nil, diag.Directory("the output", all, "--output", err)
	}
	sweep(all)
	dir, err := os.MkdirTemp(all, o.Subject.Flavour()+".*")
	if err != nil {
		return nil, err
	}
	unlock, _, err := layer.TryLockFile(filepath.Join(dir, "lock"))
	return &workplace{o, dir, unlock, false}, err
}

// sweep removes the directories of verifications that were killed. One that is kept has no
// lock file.
func sweep(all string) {
	locks, _ := layer.Glob(all, "*/lock")
	for _, lock := range locks {
		if unlock, ok, err := layer.TryLockFile(lock); err == nil && ok {
			_ = layer.RemoveAll(filepath.Dir(lock))
			unlock()
		}
	}
}

func (w *workplace) path(names ...string) string {
	return filepath.Join(append([]string{w.dir}, names...)...)
}

func (w *workplace) close() error {
	defer w.unlock()
	if !w.kept {
		return layer.RemoveAll(w.dir)
	}
	for _, name := range []string{"cache", movedTree, "home", "lock"} {
		if err := layer.RemoveAll(w.path(name)); err != nil {
			return err
		}
	}
	return nil
}

// first builds with the user's cache.
func (w *workplace) first(ctx context.Context, r *Result) error {
	options, start := w.Builder.Options(), time.Now()
	options.Output, options.Again = w.path("first"), true
	r.Packages = "the package indices as they are now"
	if w.Builder.BuiltBefore(w.Subject) {
		options.Offline, r.Packages = true, "the package indices of the last build"
	}
	if err := w.Builder.CopyHistory(ctx, w.Subject, options.Output, w.Sink); err != nil {
		return err
	}
	if err := w.Builder.CopyHistory(ctx, w.Subject, w.path("second"), w.Sink); err != nil {
		return err
	}
	b, err := build.Open(options)
	if err != nil {
		return err
	}
	m, err := b.Rebuild(ctx, w.Subject, w.Sink)
	if err != nil {
		return err
	}
	if m.Lock != nil {
		r.Packages = "the lock " + w.Subject.LockFile
	}
	r.First, r.Commit = time.Since(start), m.Manifest.Commit
	r.made = &made{m, b.Output(w.Subject).Public}
	return nil
}

// movedTree is the directory that has the copy of the configuration tree.
const movedTree = "another-directory-with-a-much-longer-name"

// reserve is the memory that steps are left if the cache is in memory.
const reserve = 4 << 30

// second builds in other surroundings, in a process of its own.
func (w *workplace) second(ctx context.Context, r *Result) error {
	for _, dir := range []string{"home", "cache", movedTree} {
		if err := os.Mkdir(w.path(dir), 0o755); err != nil {
			return err
		}
	}
	options := w.Builder.Options()
	q := &request{
		Tree: options.Tree, Moved: w.path(movedTree, filepath.Base(options.Tree)), From: options.Cache, Cache: w.path("cache"),
		Output: w.path("second"), First: r.made.public, FirstRoot: w.path("first"), Skip: []string{options.Cache, options.Output},
		Vars: options.Vars, Secrets: options.Secrets, Keys: r.made.Keys(), Jobs: jobsOther(options.Jobs), MemoryMiB: options.MemoryMiB,
		Flavour: w.Subject.Name, Progress: w.Progress, Verbose: w.Verbose, Host: "perturbed.example",
	}
	if !w.Download {
		q.Packages = r.made.Downloads()
	}
	size := build.SizeOf(r.made.Made)
	need := size*5/4 + 1<<30
	if need+reserve < availableMemory() {
		q.Memory = need + 1<<30
	}
	surroundings := w.surroundings(q)
	clock, err := w.clock(ctx, q)
	if err != nil {
		return err
	}
	r.Perturbed = append(changes(w.Options, q, need, surroundings), clock)
	start := time.Now()
	var found reply
	if err := w.elsewhere(ctx, surroundings, q, &found); err != nil {
		return err
	}
	r.Second = time.Since(start)
	r.Artifacts, r.Replanned, r.Origins, r.Layers = found.Artifacts, found.Replanned, found.Origins, found.Layers
	return w.attribute(ctx, r, q, surroundings)
}

func jobsOther(jobs int) int {
	if jobs <= 0 {
		jobs = runtime.NumCPU()
	}
	if jobs == 1 {
		return 3
	}
	return 1
}

// surroundings are those of the second build.
func (w *workplace) surroundings(q *request) sandbox.Elsewhere {
	e := sandbox.Elsewhere{Dir: w.path("home"), Umask: 0o077, Env: environment(w.path("home"))}
	if runtime.NumCPU() > 1 {
		e.CPUs = 1
	}
	return e
}

// clock moves the clock for the second build, and returns that change.
func (w *workplace) clock(ctx context.Context, q *request) (Change, error) {
	change := Change{What: "clock of steps", First: "the machine's"}
	library, err := w.Builder.ClockLibrary(ctx, w.Subject, w.Sink)
	switch {
	case ctx.Err() != nil:
		return change, err
	case err != nil:
		change.Reason = strings.Join(strings.Fields(err.Error()), " ")
		return change, nil
	}
	q.Clock = library
	change.Second = fmt.Sprintf("%d days and %d hours later", sandbox.Ahead/24, sandbox.Ahead%24)
	return change, nil
}

// elsewhere carries out a request in a copy of this program, in other surroundings.
func (w *workplace) elsewhere(ctx context.Context, e sandbox.Elsewhere, q *request, found *reply) error {
	file, err := os.CreateTemp(w.dir, ".request-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := json.NewEncoder(file).Encode(q); err != nil {
		return err
	}
	if _, err := file.Seek(0, 0); err != nil {
		return err
	}
	answer, err := os.CreateTemp(w.dir, ".reply-*")
	if err != nil {
		return err
	}
	defer os.Remove(answer.Name())
	defer answer.Close()
	e.Args, e.Files, e.Stderr, e.Stdout = []string{ExecVerb}, []*os.File{file, answer}, w.Errors, w.Errors
	if err = e.Run(ctx); errors.Is(err, sandbox.ErrNoSandbox) {
		return diag.Hostf("verify builds in namespaces of its own, which this machine does not allow: %v. In a container, start it with --privileged (docs/containers.md)", err)
	}
	if err != nil && ctx.Err() != nil {
		return err
	}
	if _, serr := answer.Seek(0, 0); serr != nil {
		return serr
	}
	if derr := json.NewDecoder(answer).Decode(found); derr != nil {
		return fmt.Errorf("the second build ended without a report: %w", errors.Join(err, derr))
	}
	if found.Error != "" {
		return fmt.Errorf("the second build, in other surroundings, failed: %s", found.Error)
	}
	return err
}
