package engine

import (
	"bytes"
	"context"
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

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

// helperTmp is the directory of the helper, once a test has needed it.
var helperTmp string

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

const (
	scriptID = "rootfs/exec.config/x"
	epoch    = 1700000000
)

func TestRootScriptStep(t *testing.T) {
	needRoot(t)
	store := scriptStore(t, t.TempDir())
	g, out, sink, err := runScript(t, context.Background(), store, "write")
	if err != nil {
		t.Fatal(err)
	}
	data := store.Data(g.Key(scriptID))
	for name, want := range map[string]string{
		"dir": "directory", "dir/file": "file", "dir/soft": "link", "etc/changed": "file", "etc/removed": "removes", "etc/kept": "file",
		"replaced": "directory", "replaced/new": "file",
		"builder": "", "proc": "directory", "replaced/a": "",
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
	// Publishing reads what it contains.
	if stored, ok, err := store.Get(r.Key); !ok || err != nil || r.Index == "" || r.Index != stored.Index {
		t.Errorf("the run's result is %+v, the stored one %+v, error %v", r, stored, err)
	}
	log, err := store.Log(r.Key)
	if err != nil || !bytes.Contains(log, []byte("+ /builder/features/x/exec.config\nhelper does write\n")) {
		t.Errorf("log %q, error %v", log, err)
	}
	if got := sink.of(event.StepOutput); len(got) < 2 {
		t.Errorf("%d lines of output were shown", len(got))
	}
	traced(t, sink, "/builder/features/x/exec.config")
	// The result is all that is left.
	entries, err := os.ReadDir(filepath.Dir(data))
	if err != nil || len(entries) != 5 { // data, index, log, result.json, seen
		t.Errorf("the result has %v, error %v", entries, err)
	}
	if drafts, err := os.ReadDir(filepath.Join(rootOf(store), "drafts")); err != nil || len(drafts) != 0 {
		t.Errorf("drafts left: %v, error %v", drafts, err)
	}
	expectNoMounts(t, rootOf(store))
}

// traced expects events of the step's process: of its command, of the parts of its work, and
// what it used.
func traced(t *testing.T, sink *recorder, command string) {
	t.Helper()
	var commands, parts, used []event.Event
	for _, e := range sink.events {
		switch {
		case e.Step != scriptID:
		case e.Kind == event.Command:
			commands = append(commands, e)
		case e.Kind == event.Part:
			parts = append(parts, e)
		case e.Kind == event.StepUsed:
			used = append(used, e)
		}
	}
	if len(commands) != 1 || !slices.Equal(commands[0].Argv, []string{command}) || commands[0].Usage.Read <= 0 {
		t.Errorf("commands: %+v", commands)
	}
	var titles []string
	for _, p := range parts {
		titles = append(titles, p.Title)
	}
	if want := []string{"mount", "action script", "set times", "look for secrets", "hash artifacts", "carry out", "store the result"}; !slices.Equal(titles, want) {
		t.Errorf("parts: %q, want %q", titles, want)
	}
	if len(used) != 1 || used[0].Usage.User+used[0].Usage.System < commands[0].Usage.User+commands[0].Usage.System || used[0].Usage.Peak < commands[0].Usage.Peak {
		t.Errorf("used: %+v, by the command %+v", used, commands)
	}
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
	raw, err := store.Log(g.Key(scriptID))
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
	if step.Step != scriptID {
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
	if drafts, err := os.ReadDir(filepath.Join(rootOf(store), "drafts")); err != nil || len(drafts) != 0 {
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
		`{"done":true}{"done":true}`:         "but continued to run",
		`{"done":true}{"error":"x"}`:         "but continued to run",
		`{"done":true}{`:                     "cannot be read",
		`{"done":true}{"bytes":1,"total":2}`: "but continued to run",
		"done":                               "cannot be read",
	} {
		reply, err := (&Local{Sink: &recorder{}}).readReplies("a", strings.NewReader(said), nil)
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
