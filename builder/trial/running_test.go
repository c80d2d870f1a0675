package trial

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treetest"
	"github.com/treewright/treewright/builder/vm"
)

// machineIn notes a machine in a directory of the private ones, and returns that directory.
func machineIn(t *testing.T, private, name string, r record) (dir string, forget func()) {
	t.Helper()
	dir = filepath.Join(private, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	forget, err := r.note(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, forget
}

// found returns the machines that run, by the names of their directories.
func found(t *testing.T, private string) string {
	t.Helper()
	all, err := running(private)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, filepath.Base(r.dir))
	}
	return strings.Join(names, " ")
}

// TestRunning: a machine is found while the process that noted it lives, and in the
// directory of its own flavour only.
func TestRunning(t *testing.T) {
	root := t.TempDir()
	private := filepath.Join(root, ".private", "f")
	if got := found(t, private); got != "" {
		t.Errorf("in a directory that does not exist: %q", got)
	}
	addr := netip.MustParseAddrPort("127.0.0.1:2022")
	dir, forget := machineIn(t, private, ".run-1", record{Process: 1, Started: time.Now(), SSH: addr})
	if got := found(t, private); got != ".run-1" {
		t.Errorf("found %q", got)
	}
	if got := found(t, filepath.Join(root, ".private", "g")); got != "" {
		t.Errorf("of another flavour: %q", got)
	}
	r := Running{record{Process: 1, Started: time.Now()}, dir}
	if r.alive() {
		t.Error("a machine that was started later is taken for the one that is noted")
	}
	all, err := running(private)
	if err != nil || len(all) != 1 || all[0].SSH != addr || !all[0].alive() || all[0].Reachable() != nil {
		t.Fatalf("%+v, %v", all, err)
	}
	// The same file, as a process that was killed leaves it.
	left := treetest.Content(t, filepath.Join(dir, recordName))
	forget()
	treetest.Write(t, filepath.Join(dir, recordName), left)
	if got := found(t, private); got != "" || all[0].alive() {
		t.Errorf("what no process has locked: found %q, alive %v", got, all[0].alive())
	}
	// The next run has the directory, and has not written a record yet: an old one does not count
	// more than before. Once it has, it does.
	unlock, err := layer.LockFile(t.Context(), filepath.Join(dir, lockName), func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if got := found(t, private); got != "" {
		t.Errorf("with the directory's lock taken: found %q", got)
	}
	_, forget = machineIn(t, private, ".run-1", record{Process: 2, Started: time.Now()})
	defer forget()
	if got := found(t, private); got != ".run-1" || all[0].alive() {
		t.Errorf("found %q, and the machine before is alive: %v", got, all[0].alive())
	}
}

// TestRunningTwoLook: of two processes that look for a record that no process has locked,
// neither takes the other for the machine's.
func TestRunningTwoLook(t *testing.T) {
	file := filepath.Join(t.TempDir(), recordName)
	treetest.Write(t, file, "{}")
	stop := time.Now().Add(200 * time.Millisecond)
	results := make(chan bool, 2)
	for range 2 {
		go func() {
			taken := false
			for time.Now().Before(stop) && !taken {
				alive, err := held(file)
				taken = alive || err != nil
			}
			results <- taken
		}()
	}
	if a, b := <-results, <-results; a || b {
		t.Error("a process that looks was taken for the holder")
	}
}

// TestRunningChoice: the kept disk has one machine; without it, it is the newest one.
func TestRunningChoice(t *testing.T) {
	private := t.TempDir()
	now := time.Now()
	for name, r := range map[string]record{
		".run-1": {Process: 1, Started: now}, keptDir: {Process: 2, Started: now.Add(-time.Hour), Kept: true}, ".run-3": {Process: 3, Started: now.Add(-time.Minute)},
	} {
		_, forget := machineIn(t, private, name, r)
		defer forget()
	}
	for kept, want := range map[bool]int{false: 1, true: 2} {
		r, more, err := newestOf(private, kept)
		if err != nil || r.Process != want || more != map[bool]int{false: 2, true: 0}[kept] {
			t.Errorf("kept %v: process %d and %d more, %v", kept, r.Process, more, err)
		}
		if err := r.Reachable(); err == nil || !strings.Contains(err.Error(), "--new") {
			t.Errorf("without an ssh server: %v", err)
		}
	}
}

// TestTakingIsForOne: of two that have a machine take a commit, one waits, and can have
// enough of it; so does a shell that a restart ended.
func TestTakingIsForOne(t *testing.T) {
	r := Running{dir: t.TempDir()}
	unlock, err := r.lock(t.Context(), func() { t.Error("the first one waits") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := r.lock(ctx, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	var said []string
	restarts := r.restarts(vm.Guest{}, func(line string) { said = append(said, line) })
	before := restarts.Last()
	if err := r.begin(); err != nil {
		t.Fatal(err)
	}
	if restarts.Last() == before {
		t.Error("a restart is not noticed")
	}
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := restarts.Wait(ctx); !errors.Is(err, context.Canceled) || len(said) != 1 {
		t.Errorf("error %v, said %q", err, said)
	}
	unlock()
	if _, err := (Running{dir: filepath.Join(r.dir, "gone")}).lock(t.Context(), func() {}); !errors.Is(err, vm.ErrEnded) {
		t.Errorf("without its directory: %v", err)
	}
}
