package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

func init() {
	children["runs-alone"] = func(args []string) error { return Command{Argv: []string{"sleep", args[0]}}.Run(context.Background()) }
	children["runs-family"] = func(args []string) error {
		script := `sleep "$1" & setsid sleep "$1" & wait`
		return Command{Argv: []string{"sh", "-c", script, "sh", args[0]}, Family: true}.Run(context.Background())
	}
	children["runs-on"] = func(args []string) error {
		return Command{Argv: []string{"sleep", args[0]}, Finish: true}.Run(context.Background())
	}
}

// sleepers are the processes that sleep for so long.
func sleepers(t *testing.T, long string) (pids []int) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if words, err := os.ReadFile(l); err == nil && bytes.Equal(words, []byte("sleep\x00"+long+"\x00")) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(l)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// eventually waits for something to be so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// TestProgramsDieWithUs: a process that is killed takes the programs along that
// it runs, and what they have started where it may make namespaces.
func TestProgramsDieWithUs(t *testing.T) {
	for i, tc := range []struct {
		child   string
		running int
		left    int
		root    bool
	}{{"runs-alone", 1, 0, false}, {"runs-family", 2, 0, true}, {"runs-on", 1, 1, false}} {
		t.Run(tc.child, func(t *testing.T) {
			if tc.root && os.Geteuid() != 0 {
				treetest.Skip(t, "needs root: it makes namespaces; run it as CI does, sudo make test")
			}
			long := fmt.Sprintf("60.%d%d", os.Getpid(), i)
			us := exec.Command("/proc/self/exe", tc.child, long)
			if err := us.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "all run", func() bool { return len(sleepers(t, long)) == tc.running })
			if err := us.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = us.Wait()
			if tc.left > 0 {
				time.Sleep(200 * time.Millisecond)
				left := sleepers(t, long)
				if len(left) != tc.left {
					t.Errorf("%d are left, want %d", len(left), tc.left)
				}
				for _, pid := range left {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
				return
			}
			eventually(t, "none is left", func() bool { return len(sleepers(t, long)) == 0 })
		})
	}
}

// TestRootFamilyEndsWithItsFirst: when the program ends by itself, or is
// cancelled, nothing of what it started goes on.
func TestRootFamilyEndsWithItsFirst(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it makes namespaces; run it as CI does, sudo make test")
	}
	long := fmt.Sprintf("60.%d9", os.Getpid())
	out, err := Command{Argv: []string{"sh", "-c", `sleep "$1" >/dev/null 2>&1 & echo hello; exit 4`, "sh", long}, Family: true}.Output(t.Context())
	var exit *ExitError
	if string(out) != "hello\n" || !errors.As(err, &exit) || exit.State != "exit status 4" {
		t.Errorf("output %q, error %v", out, err)
	}
	eventually(t, "the sleeper is gone", func() bool { return len(sleepers(t, long)) == 0 })
}
