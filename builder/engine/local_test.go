package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/treetest"
)

// TestMain lets the test binary be the process that carries out a step, as the
// real program is, and a whole build that a test can kill.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		var err error
		switch os.Args[1] {
		case ExecVerb:
			err = StepExec(context.Background(), stage.Actions, distro.Families{debian.Family{}}, os.NewFile(3, "request"), os.NewFile(4, "reply"))
		case "build-for-test":
			err = buildForTest(os.Args[2:])
		default:
			os.Exit(runTests(m))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(runTests(m))
}

// helperTmp is the folder of the helper, once a test has needed it.
var helperTmp string

func runTests(m *testing.M) int {
	defer func() { os.RemoveAll(helperTmp) }()
	return m.Run()
}

// buildForTest runs the step that does DO, in a store with a base.
func buildForTest(args []string) error {
	dir, helper, do, mark := args[0], args[1], args[2], args[3]
	store, err := layer.Open(dir)
	if err != nil {
		return err
	}
	g, err := scriptGraph(helper, do, mark)
	if err != nil {
		return err
	}
	sink, err := event.Choose("plain", os.Stdout, event.Options{Verbose: true})
	if err != nil {
		return err
	}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(dir, "failed")}
	_, err = e.Run(context.Background(), g, g.Targets())
	return errors.Join(err, sink.Close())
}

// needRoot skips tests that mount, for who may not.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it mounts overlays and makes namespaces; run it as CI does, sudo make test")
	}
}

var buildHelper = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "treewright-helper")
	if err != nil {
		return "", err
	}
	helperTmp = dir
	cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "exec.config"), "./testdata/helper")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, os.Chmod(dir, 0o755)
})

// helperDir is a feature's folder with the helper as its exec.config.
func helperDir(t *testing.T) string {
	t.Helper()
	dir, err := buildHelper()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// scriptGraph is a base and a script step on it that does something.
func scriptGraph(helper, do, mark string) (*plan.Graph, error) {
	params, err := json.Marshal(map[string]string{"feature": "x", "script": "exec.config"})
	if err != nil {
		return nil, err
	}
	g := &plan.Graph{}
	return g, errors.Join(
		g.Add(plan.Step{ID: "base", Action: "none", Output: plan.Layer}),
		g.Add(plan.Step{
			ID: "rootfs/exec.config/x", Action: "script", Version: 1, Family: "debian", Params: params, Env: map[string]string{"DO": do, "MARK": mark},
			Base: "base", Sources: []plan.Source{{Name: "features/x", Digest: "sha256:1", Path: helper}}, Output: plan.Layer,
		}))
}

const (
	scriptID = "rootfs/exec.config/x"
	epoch    = 1700000000
)

// scriptStore opens a store in dir that has the base already.
func scriptStore(t *testing.T, dir string) *layer.Store {
	t.Helper()
	store, err := layer.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	g, err := scriptGraph("", "", "")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := store.Begin(g.Key("base"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(epoch, 0)
	for _, name := range []string{"etc/kept", "etc/changed", "etc/removed", "replaced/a", "replaced/b"} {
		file := filepath.Join(draft.Data, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{file, filepath.Dir(file)} {
			if err := os.Chtimes(p, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := draft.Commit(layer.Result{Step: "base", Epoch: epoch}); err != nil {
		t.Fatal(err)
	}
	return store
}

// runScript runs the helper in a store of its own.
func runScript(t *testing.T, ctx context.Context, store *layer.Store, do string) (*plan.Graph, *Outcome, *recorder, error) {
	t.Helper()
	g, err := scriptGraph(helperDir(t), do, "")
	if err != nil {
		t.Fatal(err)
	}
	sink := &recorder{}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(store.Root(), "failed")}
	out, err := e.Run(ctx, g, g.Targets())
	return g, out, sink, err
}

func TestRootScriptStep(t *testing.T) {
	needRoot(t)
	store := scriptStore(t, t.TempDir())
	g, out, sink, err := runScript(t, context.Background(), store, "write")
	if err != nil {
		t.Fatal(err)
	}
	data := store.Data(g.Key(scriptID))
	for name, want := range map[string]string{
		"dir": "folder", "dir/file": "file", "dir/soft": "link", "etc/changed": "file", "etc/removed": "removes", "etc/kept": "file",
		"replaced": "folder", "replaced/new": "file",
		"builder": "", "proc": "folder", "replaced/a": "",
	} {
		if got := layer.ChangeOf(filepath.Join(data, name)); got != want {
			t.Errorf("the layer's %s is %q, want %q", name, got, want)
		}
	}
	if n := mustLinks(t, filepath.Join(data, "dir/file")); n != 2 {
		t.Errorf("dir/file has %d names, want 2", n)
	}
	r := out.Results[scriptID]
	if r.Step != scriptID || r.Epoch != epoch || r.Duration <= 0 || r.Key != g.Key(scriptID) {
		t.Errorf("result: %+v", r)
	}
	// Whoever publishes goes by what it holds.
	if stored, ok, err := store.Get(r.Key); !ok || err != nil || r.Index == "" || r.Index != stored.Index {
		t.Errorf("the run's result is %+v, the stored one %+v, error %v", r, stored, err)
	}
	log, err := os.ReadFile(store.Log(r.Key))
	if err != nil || !bytes.Contains(log, []byte("+ /builder/features/x/exec.config\nhelper does write\n")) {
		t.Errorf("log %q, error %v", log, err)
	}
	if got := sink.of(event.StepOutput); len(got) < 2 {
		t.Errorf("%d lines of output were shown", len(got))
	}
	// The result is all that is left.
	entries, err := os.ReadDir(filepath.Dir(data))
	if err != nil || len(entries) != 5 { // data, index, log, result.json, seen
		t.Errorf("the result has %v, error %v", entries, err)
	}
	if drafts, err := os.ReadDir(filepath.Join(store.Root(), "drafts")); err != nil || len(drafts) != 0 {
		t.Errorf("drafts left: %v, error %v", drafts, err)
	}
	expectNoMounts(t, store.Root())
}

// TestRootResultsTravel: a result that was packed and unpacked into another store
// is the same, and serves there.
func TestRootResultsTravel(t *testing.T) {
	needRoot(t)
	here, there := scriptStore(t, t.TempDir()), openStore(t)
	g, out, _, err := runScript(t, t.Context(), here, "write")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range g.Steps() {
		key := g.Key(s.ID)
		var packed bytes.Buffer
		if err := here.Pack(&packed, key); err != nil {
			t.Fatal(err)
		}
		for what, tc := range map[string]struct{ key, text string }{
			"another key":     {strings.Repeat("0", 64), packed.String()},
			"other content":   {key, strings.Replace(packed.String(), "./data/dir/file", "./data/dir/flie", 1)},
			"another record":  {key, strings.Replace(packed.String(), s.ID, strings.ToUpper(s.ID), 1)},
			"half an archive": {key, packed.String()[:packed.Len()/2]},
		} {
			if _, err := openStore(t).Unpack(strings.NewReader(tc.text), tc.key); err == nil && (tc.text != packed.String() || tc.key != key) {
				t.Errorf("%s with %s is unpacked", s.ID, what)
			}
		}
		if _, err := there.Unpack(bytes.NewReader(packed.Bytes()), key); err != nil {
			t.Fatal(err)
		}
		if got, want := treetest.Listing(t, there.Data(key)), treetest.Listing(t, here.Data(key)); !slices.Equal(got, want) {
			t.Errorf("%s: unpacked is\n%s\nwas\n%s", s.ID, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	_, other, sink, err := runScript(t, t.Context(), there, "write")
	if err != nil || len(other.Ran) > 0 || len(sink.of(event.StepCached)) == 0 {
		t.Fatalf("there %v ran, error %v", other.Ran, err)
	}
	if got, want := other.Results[scriptID], out.Results[scriptID]; got.Index != want.Index || got.Epoch != want.Epoch || got.Duration != want.Duration {
		t.Errorf("unpacked is %+v, was %+v", got, want)
	}
}

func mustLinks(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return uint64(st.Nlink)
}

// TestRootSameStepSameBytes is the promise: the clock, the place and the run
// make no difference.
func TestRootSameStepSameBytes(t *testing.T) {
	needRoot(t)
	var first []string
	for _, name := range []string{"one", "two with a blank"} {
		store := scriptStore(t, filepath.Join(t.TempDir(), name))
		g, _, _, err := runScript(t, context.Background(), store, "write")
		if err != nil {
			t.Fatal(err)
		}
		got := treetest.Listing(t, store.Data(g.Key(scriptID)))
		if first == nil {
			first = got
			time.Sleep(1100 * time.Millisecond)
			continue
		}
		if len(got) != len(first) {
			t.Fatalf("%d entries and %d", len(first), len(got))
		}
		for i := range got {
			if got[i] != first[i] {
				t.Errorf("differ:\n%s\n%s", first[i], got[i])
			}
		}
	}
}

func TestRootWhatAScriptSees(t *testing.T) {
	needRoot(t)
	t.Setenv("SECRET_OF_THE_HOST", "leaks")
	store := scriptStore(t, t.TempDir())
	g, _, _, err := runScript(t, context.Background(), store, "look")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(store.Log(g.Key(scriptID)))
	if err != nil {
		t.Fatal(err)
	}
	log := string(raw)
	has := func(line string) bool { return strings.Contains("\n"+log, "\n"+line+"\n") }
	for _, want := range []string{
		"interface lo true", "hostname treewright", "sys 0", "source exec.config",
		"env DO=look", "env HOME=/root", "env LC_ALL=C.UTF-8", fmt.Sprintf("env SOURCE_DATE_EPOCH=%d", epoch),
		// The step's own process, and the script.
		"processes 2",
	} {
		if !has(want) {
			t.Errorf("a script does not see %q", want)
		}
	}
	for _, unwanted := range []string{"dial works", "sources can be written", "SECRET", "root work"} {
		if strings.Contains(log, unwanted) {
			t.Errorf("a script sees %q", unwanted)
		}
	}
	if n := strings.Count(log, "\ninterface "); n != 1 {
		t.Errorf("a script has %d network interfaces, want lo alone", n)
	}
	if n := strings.Count(log, "\nenv "); n != 6 {
		t.Errorf("a script has %d variables, want DO, MARK, HOME, LC_ALL, SOURCE_DATE_EPOCH and PATH", n)
	}
	if t.Failed() {
		t.Log(log)
	}
}

func TestRootFailingScript(t *testing.T) {
	needRoot(t)
	store := scriptStore(t, t.TempDir())
	g, _, sink, err := runScript(t, context.Background(), store, "fail")
	var step *StepError
	if !errors.As(err, &step) {
		t.Fatalf("error %v", err)
	}
	if step.Step != scriptID || step.Key != g.Key(scriptID) {
		t.Errorf("the error is about %s", step.Step)
	}
	if want := "step " + scriptID + ": /builder/features/x/exec.config: exit status 3"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if step.Command != "/builder/features/x/exec.config" {
		t.Errorf("the failed command is %q", step.Command)
	}
	log, err := os.ReadFile(step.Log)
	if err != nil || !bytes.Contains(log, []byte("helper: this is why it fails\n")) {
		t.Errorf("the kept log says %q, error %v", log, err)
	}
	if got := sink.of(event.StepFailed); !slices.Equal(got, []string{scriptID}) {
		t.Errorf("failed: %v", got)
	}
	if _, ok, err := store.Get(g.Key(scriptID)); ok || err != nil {
		t.Errorf("the failed step has a result (%v), error %v", ok, err)
	}
	if drafts, err := os.ReadDir(filepath.Join(store.Root(), "drafts")); err != nil || len(drafts) != 0 {
		t.Errorf("drafts left: %v, error %v", drafts, err)
	}
}

// TestRootScriptCannotSpeakForItsStep has a script that fails and says on every
// descriptor it has that all is done.
func TestRootScriptCannotSpeakForItsStep(t *testing.T) {
	needRoot(t)
	// One that the caller of ./build left open for whatever it starts.
	left, err := os.Create(filepath.Join(t.TempDir(), "left"))
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	if _, err := unix.FcntlInt(left.Fd(), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	_, _, _, err = runScript(t, context.Background(), scriptStore(t, t.TempDir()), "lie")
	var step *StepError
	if !errors.As(err, &step) || !strings.HasSuffix(err.Error(), "exec.config: exit status 3") {
		t.Fatalf("error %v", err)
	}
	log, err := os.ReadFile(step.Log)
	if err != nil || bytes.Contains(log, []byte("descriptor")) || !bytes.Contains(log, []byte("but it did not")) {
		t.Errorf("the log says %q, error %v", log, err)
	}
	if text, err := os.ReadFile(left.Name()); err != nil || len(text) > 0 {
		t.Errorf("the caller's file holds %q, error %v", text, err)
	}
}

func TestReplies(t *testing.T) {
	for said, want := range map[string]string{
		"":                                   "",
		`{"bytes":1,"total":2}`:              "",
		`{"done":true}`:                      "done",
		`{"done":true}{"done":true}`:         "and then went on",
		`{"done":true}{"error":"x"}`:         "and then went on",
		`{"done":true}{`:                     "makes no sense",
		`{"done":true}{"bytes":1,"total":2}`: "and then went on",
		"done":                               "makes no sense",
	} {
		reply, err := (&Local{Sink: &recorder{}}).readReplies("a", strings.NewReader(said))
		switch {
		case want == "" && (err != nil || reply.Done), want == "done" && (err != nil || !reply.Done):
			t.Errorf("%s: done %v, error %v", said, reply.Done, err)
		case want != "" && want != "done" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error %v, want %q", said, err, want)
		}
	}
}

func TestRootSyncCostsNothing(t *testing.T) {
	needRoot(t)
	store := scriptStore(t, t.TempDir())
	if _, _, _, err := runScript(t, context.Background(), store, "sync"); err != nil {
		t.Errorf("fsync fails in a step: %v", err)
	}
}

func TestRootUnknownActionFails(t *testing.T) {
	needRoot(t)
	store := scriptStore(t, t.TempDir())
	g := graphOf(t, plan.Step{ID: "a", Action: "no-such"})
	sink := &recorder{}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: t.TempDir()}
	_, err := e.Run(context.Background(), g, g.Targets())
	if err == nil || !strings.Contains(err.Error(), `step a: no action is called "no-such"`) {
		t.Errorf("error %v", err)
	}
}

// TestRootInterrupted is Ctrl-C: two seconds, and nothing is left.
func TestRootInterrupted(t *testing.T) {
	needRoot(t)
	store := scriptStore(t, t.TempDir())
	helper := helperDir(t)
	mark := "interrupted-" + filepath.Base(t.TempDir()) + fmt.Sprint(os.Getpid())
	g, err := scriptGraph(helper, "hang", mark)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sink := &onLine{line: "hanging", then: cancel}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(store.Root(), "failed")}
	_, err = e.Run(ctx, g, g.Targets())
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want one that is context.Canceled", err)
	}
	if took := time.Since(sink.at); took > 2*time.Second {
		t.Errorf("stopping took %v", took)
	}
	expectNoProcess(t, mark)
	expectNoMounts(t, store.Root())
	if drafts, err := os.ReadDir(filepath.Join(store.Root(), "drafts")); err != nil || len(drafts) != 0 {
		t.Errorf("drafts left: %v, error %v", drafts, err)
	}
	if _, ok, _ := store.Get(g.Key(scriptID)); ok {
		t.Error("the step that was stopped has a result")
	}
}

// onLine calls then when a line of output comes.
type onLine struct {
	line string
	then func()
	at   time.Time
}

func (o *onLine) Emit(e event.Event) {
	if e.Kind == event.StepOutput && e.Line == o.line {
		o.at = time.Now()
		o.then()
	}
}

func (o *onLine) Close() error { return nil }

// TestRootKilled kills a whole build with SIGKILL in the middle of a step.
func TestRootKilled(t *testing.T) {
	needRoot(t)
	store := scriptStore(t, t.TempDir())
	helper := helperDir(t)
	mark := fmt.Sprintf("killed-%d-%d", os.Getpid(), time.Now().UnixNano())
	build := exec.Command("/proc/self/exe", "build-for-test", store.Root(), helper, "hang", mark)
	out, err := build.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	build.Stderr = os.Stderr
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	hangs := false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "hanging") {
			hangs = true
			break
		}
	}
	if !hangs {
		build.Wait()
		t.Fatal("the build ended early")
	}
	if processes(t, mark) < 2 {
		t.Error("the test does not find the processes it is to find gone later")
	}
	if err := build.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	build.Wait()
	expectNoProcess(t, mark)
	expectNoMounts(t, store.Root())

	drafts, err := os.ReadDir(filepath.Join(store.Root(), "drafts"))
	if err != nil || len(drafts) != 1 {
		t.Fatalf("drafts: %v, error %v; want the one of the killed step", drafts, err)
	}
	swept, err := store.Sweep()
	if err != nil || swept != 1 {
		t.Errorf("swept %d drafts, error %v; want 1", swept, err)
	}
	// The next run is not in anybody's way.
	if _, _, _, err := runScript(t, context.Background(), store, "write"); err != nil {
		t.Errorf("the next run: %v", err)
	}
}
