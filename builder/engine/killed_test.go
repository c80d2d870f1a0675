package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
)

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
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(rootOf(store), "failed")}
	_, err = e.Run(ctx, g, g.Targets())
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want one that is context.Canceled", err)
	}
	if took := time.Since(sink.at); took > 2*time.Second {
		t.Errorf("stopping took %v", took)
	}
	expectNoProcess(t, mark)
	expectNoMounts(t, rootOf(store))
	if drafts, err := os.ReadDir(filepath.Join(rootOf(store), "drafts")); err != nil || len(drafts) != 0 {
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
	build := exec.Command("/proc/self/exe", "build-for-test", rootOf(store), helper, "hang", mark)
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
	expectNoMounts(t, rootOf(store))

	drafts, err := os.ReadDir(filepath.Join(rootOf(store), "drafts"))
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
