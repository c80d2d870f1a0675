package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

// keptForTest is the environment variable that sets keptDir in the process of a worker.
const keptForTest = "TREEWRIGHT_KEPT_FOR_TEST"

// families are the families of distributions in these tests.
var families = distro.Families{debian.Family{}}

// TestMain runs the tests. The test binary is also the command of Actions, and the process of steps.
func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == Verb:
		sandbox.SetMask()
		keptDir = os.Getenv(keptForTest)
		err = Work(context.Background(), actions, families, os.Stdout)
	case len(os.Args) == 2 && os.Args[1] == engine.ExecVerb:
		sandbox.SetMask()
		err = engine.StepExec(context.Background(), actions, families, os.NewFile(3, "request"), os.NewFile(4, "reply"))
	default:
		os.Exit(m.Run())
	}
	if status, quiet := diag.OnlyEnded(err); err == nil || quiet {
		os.Exit(status)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// needRoot skips tests in which steps run if the user is not root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it mounts overlays and makes namespaces; run it as CI does, sudo make test")
	}
}

const epoch = 1_700_000_000

var actions = task.Actions{strange, files, nothing, variety, artifact, reads, fails, waits}

// files makes files with the given content, by their names.
var files = task.Define("files-for-test", 1, func(_ context.Context, t *task.Task, p map[string]string) error {
	t.Epoch = epoch
	for name, text := range p {
		if err := write(filepath.Join(t.Tree, name), text); err != nil {
			return err
		}
	}
	return nil
})

func write(path, text string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
}

// nothing does not change its tree.
var nothing = task.Define("nothing-for-test", 1, func(context.Context, *task.Task, struct{}) error { return nil })

// variety makes files of all kinds that a layer can have, and records facts.
var variety = task.Define("variety-for-test", 1, func(_ context.Context, t *task.Task, _ struct{}) error {
	at := func(name string) string { return filepath.Join(t.Tree, name) }
	odd := []unix.Timespec{{Sec: 1234567890, Nsec: 123456789}, {Sec: 1234567890, Nsec: 123456789}}
	t.Epoch = max(t.Epoch, epoch+100)
	t.Facts["found"] = "out"
	t.Warn("this is \x1b[31mnot as you may think")
	fmt.Fprintln(t.Log, "first line\nsecond line\ntüte")
	fmt.Fprint(t.Log, "10 %\r20 %\r\n\n\x00\xff\n-- top --\n", strings.Repeat("long", 50_000), "\n")
	fmt.Fprint(t.Log, "a last line without an end")
	holes := func() error {
		f, err := os.Create(at("holes"))
		if err != nil {
			return err
		}
		_, err = f.WriteAt([]byte("end"), 4<<20)
		return errors.Join(err, f.Close())
	}
	source, err := os.ReadFile(filepath.Join(t.Sources["features/x"], "dir", "script"))
	info, err2 := os.Stat(filepath.Join(t.Sources["features/x"], "dir", "script"))
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	return errors.Join(
		os.Remove(at("etc/removed")), os.RemoveAll(at("etc/replaced")), write(at("etc/replaced/new"), "new"), write(at("etc/changed"), "changed"),
		write(at("setuid"), "x"), os.Chown(at("setuid"), 1234567, 7654321), os.Chmod(at("setuid"), 0o755|os.ModeSetuid|os.ModeSetgid),
		os.Link(at("setuid"), at("again")), os.Symlink("/nowhere", at("link")), os.Lchown(at("link"), 5, 6),
		unix.Mkfifo(at("fifo"), 0o600), unix.Mknod(at("socket"), unix.S_IFSOCK|0o640, 0), unix.Mknod(at("null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))),
		unix.Setxattr(at("setuid"), "user.note", []byte("a=b\n\x00c"), 0),
		unix.Setxattr(at("setuid"), "security.capability", []byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0),
		os.Mkdir(at("locked"), 0), holes(), write(at("source"), fmt.Sprint(string(source), info.Mode())),
		unix.UtimesNanoAt(unix.AT_FDCWD, at("etc/changed"), odd, 0),
	)
})

// artifact makes a file with the content of etc/changed of its input tree, and 5000 zeros.
var artifact = task.Define("artifact-for-test", 1, func(_ context.Context, t *task.Task, _ struct{}) error {
	text, err := os.ReadFile(filepath.Join(t.Inputs["tree"], "etc/changed"))
	at, file := time.Unix(t.Epoch, 5), filepath.Join(t.Out, "file")
	return errors.Join(err, os.WriteFile(file, append(text, make([]byte, 5000)...), 0o644), os.Chtimes(file, at, at), os.Chtimes(t.Out, at, at))
})

// reads looks at one file of its tree.
var reads = task.Define("reads-for-test", 1, func(_ context.Context, t *task.Task, _ struct{}) error {
	text, err := os.ReadFile(filepath.Join(t.Tree, "etc/read"))
	return errors.Join(err, write(filepath.Join(t.Tree, "made"), "of "+string(text)))
}).Recorded()

// fails fails in the given way.
var fails = task.Define("fails-for-test", 1, func(ctx context.Context, t *task.Task, way string) error {
	fmt.Fprintln(t.Log, "about to fail")
	t.Warn("a warning of a step that fails")
	switch way {
	case "paths":
		return &diag.OfPaths{Paths: []string{"/etc/a", "/etc/b"}, Err: errors.New("these files are bad")}
	case "fault":
		at := hcl.Range{Filename: "flavours/own.hcl", Start: hcl.Pos{Line: 7, Column: 3, Byte: 80}, End: hcl.Pos{Line: 7, Column: 9, Byte: 86}}
		return diag.Foundf(at, "Missing package", "The package %s is missing.", "tzdata")
	}
	return sandbox.Command{Argv: []string{"sh", "-c", "echo of a program; exit 3"}, Env: sandbox.HostEnv(), Stdout: t.Log, Stderr: t.Log}.Run(ctx)
})

// waits writes a line, and continues when its directory for temporary files has a file "seen".
var waits = task.Define("waits-for-test", 1, func(_ context.Context, t *task.Task, _ struct{}) error {
	fmt.Fprintln(t.Log, "waiting")
	for range 500 {
		if _, err := os.Stat(filepath.Join(t.Scratch, "seen")); err == nil {
			fmt.Fprintln(t.Log, "it is there")
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("the line was not seen")
})

// strange makes a file with an extended attribute that cannot be packed.
var strange = task.Define("strange-for-test", 1, func(_ context.Context, t *task.Task, _ struct{}) error {
	file := filepath.Join(t.Tree, "file")
	return errors.Join(write(file, "x"), unix.Setxattr(file, "user.a=b", []byte("c"), 0))
})

var graphOf = plantest.Graph

// recorder is a sink that keeps events, and calls hear with each event.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
	hear   func(e event.Event)
}

// Emit implements [event.Sink].
func (r *recorder) Emit(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if r.hear != nil {
		r.hear(e)
	}
}

// Close implements [event.Sink].
func (r *recorder) Close() error { return nil }

// texts calls of with each event of a step, and returns the texts.
func (r *recorder) texts(step string, of func(e event.Event) string) (texts []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if text := of(e); e.Step == step && text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// builder builds graphs, on this machine or by machines.
type builder struct {
	*engine.Engine
	store *layer.Store
	sink  *recorder
	// warned are the warnings of the Sender.
	warned []string
	program
}

// program is the path of the program for workers.
type program string

// newBuilder returns a builder with an empty store. It builds on this machine if m is nil.
func newBuilder(t *testing.T, m *machines) *builder {
	t.Helper()
	store, err := layer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	b := &builder{store: store, sink: &recorder{}, program: "/proc/self/exe"}
	here := &engine.Local{Sink: b.sink}
	b.Engine = &engine.Engine{Store: store, Sink: b.sink, Executor: here, FailedLogs: t.TempDir()}
	if m != nil {
		s := &Sender{
			Here: here, There: NewServer(m, "grpc://machines"), Store: store, Sink: b.sink, Warn: func(line string) { b.warned = append(b.warned, line) },
			Platforms: func(string) Platform { return Platform{Program: string(b.program)} },
			Emulate:   func(context.Context, string) error { return nil },
		}
		b.Executor, b.Sent, b.Actions = s, s.Sends, 2
	}
	return b
}

// build makes all targets of a graph.
func (b *builder) build(t *testing.T, g *plan.Graph) *engine.Outcome {
	t.Helper()
	out, err := b.Run(t.Context(), g, g.Targets())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// silent fails the test if the Sender has warned.
func (b *builder) silent(t *testing.T) {
	t.Helper()
	if len(b.warned) > 0 {
		t.Errorf("warned of %q", b.warned)
	}
}

// sameResults fails the test if two builders have different results, logs or packed data of a graph.
func sameResults(t *testing.T, g *plan.Graph, got, want *builder) {
	t.Helper()
	for _, s := range g.Steps() {
		key := g.Key(s.ID)
		if a, b := treetest.Listing(t, got.store.Data(key)), treetest.Listing(t, want.store.Data(key)); !slices.Equal(a, b) {
			t.Errorf("%s: by machines\n%q\nhere\n%q", s.ID, a, b)
		}
		a, _, err := got.store.Get(key)
		b, _, err2 := want.store.Get(key)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if a.Duration <= 0 {
			t.Errorf("%s: by machines the duration is 0", s.ID)
		}
		a.Duration, b.Duration, a.Sum, b.Sum = 0, 0, "", ""
		if x, y := fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b); x != y {
			t.Errorf("%s: by machines\n%s\nhere\n%s", s.ID, x, y)
		}
		x, err := got.store.Log(key)
		y, err2 := want.store.Log(key)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		// The store keeps the DataSum of the packed data, also for a result of a machine.
		for _, of := range []*builder{got, want} {
			kept, err := of.store.DataSum(key)
			packed, err2 := layer.SumOf(func(w io.Writer) error { return of.store.PackData(w, key) })
			if err := errors.Join(err, err2); err != nil || kept != packed {
				t.Errorf("%s: its data are packed to %v, and %v is kept, error %v", s.ID, packed, kept, err)
			}
		}
		// A worker adds an end of line to the last line.
		if strings.TrimSuffix(string(x), "\n") != strings.TrimSuffix(string(y), "\n") {
			t.Errorf("%s: the log is\n%q\nby machines, and here\n%q", s.ID, x, y)
		}
	}
}

// oneStays fails the test unless the machines carried out one step, and the builder warned once. The warning must have the reason for which
// the step id ran on this machine.
func (b *builder) oneStays(t *testing.T, m *machines, reason, id string) {
	t.Helper()
	if len(b.warned) != 1 || !strings.Contains(b.warned[0], reason) || !strings.HasSuffix(b.warned[0], "; such steps run on this machine, the first of them is "+id) {
		t.Errorf("warned of %q", b.warned)
	}
	if len(m.done) != 1 {
		t.Errorf("%d steps were carried out by machines", len(m.done))
	}
}
