//go:build servers

package reapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/treewright/treewright/builder/remote"
)

// shell returns an Action that runs a shell script.
func shell(script string, inputs ...remote.Input) *remote.Action {
	return &remote.Action{Arguments: []string{"/bin/sh", "-ec", script}, Inputs: inputs}
}

// TestRealExecution executes Actions on a server of another project. `make servers` starts the server. At the end, the test
// kills the server while an Action runs.
func TestRealExecution(t *testing.T) {
	l := steady
	l.tries, l.pause = 3, 100*time.Millisecond
	e, err := openExecution(remote.Access{URL: os.Getenv("TREEWRIGHT_TEST_REAPI")}, l)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if can, err := e.able(t.Context()); err != nil || can.idle != nil {
		t.Fatal(err, can.idle)
	}
	t.Run("inputs and outputs", func(t *testing.T) { testSmall(t, e) })
	t.Run("large", func(t *testing.T) { testLarge(t, e) })
	t.Run("endings", func(t *testing.T) { testEndings(t, e) })
	t.Run("overlay", func(t *testing.T) { testOverlay(t, e) })
	t.Run("cancel", func(t *testing.T) { testCancelled(t, e) })
	t.Run("killed server", func(t *testing.T) { testKilled(t, e) })
}

// testSmall: inputs have their paths and modes, and outputs in directories are found. An equal Action is not executed again.
func testSmall(t *testing.T, e remote.Executor) {
	var log bytes.Buffer
	a := shell("cat in/a/x in/y empty >made/below/file; test -x in/a/x; test ! -x in/y; echo text >top; echo to-output; echo to-error >&2",
		input("in/a/x", []byte("one\n")), input("in/y", []byte("two\n")), input("empty", nil))
	a.Inputs[0].Executable = true
	a.Outputs, a.Output = []string{"top", "made/below/file", "never"}, &log
	a.Platform = map[string]string{"OSFamily": "linux", "ISA": "x86-64", "treewright": "privileged"}
	for _, test := range []struct{ again, cached bool }{{false, false}, {false, true}, {true, false}} {
		log.Reset()
		a.Again = test.again
		start := time.Now()
		done, err := e.Run(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("again %v: %s", test.again, time.Since(start))
		if done.Status != 0 || done.Cached != test.cached || len(done.Outputs) != 2 || log.String() != "to-output\nto-error\n" {
			t.Errorf("again %v: %+v, log %q", test.again, done, &log)
		}
		if got := fetch(t, e, done.Outputs["made/below/file"]); got != "one\ntwo\n" {
			t.Errorf("the output is %q", got)
		}
	}
}

// testLarge sends an input of 50 MiB and fetches an output of 100 MiB.
func testLarge(t *testing.T, e remote.Executor) {
	text := content(50 << 20)
	a := shell("cat in in >out/twice", input("in", text))
	a.Outputs = []string{"out/twice"}
	start := time.Now()
	done, err := e.Run(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MiB up, and run: %s", len(text)>>20, time.Since(start))
	start = time.Now()
	if got := fetch(t, e, done.Outputs["out/twice"]); got != string(text)+string(text) {
		t.Errorf("%d bytes", len(got))
	}
	t.Logf("%d MiB down: %s", len(text)>>19, time.Since(start))
}

// testEndings: a command ends with a status, or the server returns an error. The server executes a failed command again.
func testEndings(t *testing.T, e remote.Executor) {
	for script, want := range map[string]int{"exit 3": 3, "kill -KILL $$": 128 + 9} {
		for range 2 {
			done, err := e.Run(t.Context(), shell(script))
			if err != nil || done.Status != want || done.Cached {
				t.Errorf("%s: %+v, %v", script, done, err)
			}
		}
	}
	a := shell("echo begun; sleep 60")
	var log bytes.Buffer
	a.Timeout, a.Output = time.Second, &log
	if _, err := e.Run(t.Context(), a); err == nil || !strings.HasSuffix(err.Error(), "the command did not end within 1s") || log.String() != "begun\n" {
		t.Errorf("%v, log %q", err, &log)
	}
	if _, err := e.Run(t.Context(), &remote.Action{Arguments: []string{"./missing"}}); !has(err, codes.NotFound) {
		t.Errorf("a program that is missing: %v", err)
	}
	a = shell("mkdir out")
	a.Outputs = []string{"out"}
	if _, err := e.Run(t.Context(), a); err == nil || !strings.Contains(err.Error(), "in place of an output file") {
		t.Errorf("a directory: %v", err)
	}
}

// testOverlay: a command can mount an overlay in a new mount namespace, as steps do.
func testOverlay(t *testing.T, e remote.Executor) {
	a := shell(`
		work=$(mktemp -d /var/tmp/overlay.XXXXXX)
		mkdir $work/lower $work/upper $work/work $work/merged
		echo lower >$work/lower/file
		unshare -m sh -ec 'mount -t overlay -o lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work overlay $1/merged
			echo upper >>$1/merged/file' sh $work
		cp $work/upper/file out/file
		rm -r $work`)
	a.Outputs = []string{"out/file"}
	done, err := e.Run(t.Context(), a)
	if err != nil || done.Status != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := fetch(t, e, done.Outputs["out/file"]); got != "lower\nupper\n" {
		t.Errorf("the upper directory has %q", got)
	}
}

// testCancelled: if an Action is cancelled, its processes end.
func testCancelled(t *testing.T, e remote.Executor) {
	seconds := fmt.Sprint(100_000 + os.Getpid())
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stopped := errors.New("stopped")
	go func() {
		waitFor(func() bool { return running(t, seconds) == 2 })
		cancel(stopped)
	}()
	start := time.Now()
	if _, err := e.Run(ctx, shell("sleep "+seconds+" & sleep "+seconds)); !errors.Is(err, stopped) {
		t.Errorf("%v after %s", err, time.Since(start))
	}
	if !waitFor(func() bool { return running(t, seconds) == 0 }) {
		t.Errorf("%d processes still run", running(t, seconds))
	}
}

// waitFor waits until a condition holds, for 20 seconds at most.
func waitFor(holds func() bool) bool {
	for start := time.Now(); time.Since(start) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}

// running returns the number of processes that sleep for the given number of seconds.
func running(t *testing.T, seconds string) (n int) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Error("the processes cannot be listed")
	}
	for _, line := range lines {
		if text, err := os.ReadFile(line); err == nil && string(text) == "sleep\x00"+seconds+"\x00" {
			n++
		}
	}
	return n
}

// testKilled: the client notices the end of a server at once.
func testKilled(t *testing.T, e remote.Executor) {
	server, err := strconv.Atoi(os.Getenv("TREEWRIGHT_TEST_SERVER"))
	if err != nil {
		t.Fatal(err)
	}
	seconds := fmt.Sprint(200_000 + os.Getpid())
	go func() {
		waitFor(func() bool { return running(t, seconds) == 1 })
		if err := syscall.Kill(server, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}()
	start := time.Now()
	if _, err := e.Run(t.Context(), shell("sleep "+seconds)); !has(err, codes.Unavailable) || time.Since(start) > 25*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}
