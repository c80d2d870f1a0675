package worker

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestRootUserNamespace: a worker in a user namespace, with any number of users, does not carry out steps. One warning has the reason, and
// the results are the same as on this machine.
func TestRootUserNamespace(t *testing.T) {
	needRoot(t)
	g := wholeGraph(t)
	here := newBuilder(t, nil)
	here.build(t, g)
	for _, size := range []int{1, 65536} {
		m := newMachines(t)
		m.users = []syscall.SysProcIDMap{{Size: size}}
		b := newBuilder(t, m)
		b.build(t, g)
		sameResults(t, g, b, here)
		if len(b.warned) != 1 || !strings.Contains(b.warned[0], "the worker here cannot carry out steps: it is in a user namespace, ") {
			t.Errorf("%d users: warned of %q", size, b.warned)
		}
	}
}

// TestRootDamagedInput: the error of an input that cannot be unpacked does not have the path of the draft, so it is the same each time.
func TestRootDamagedInput(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	k, err := openKept(filepath.Join(dir, "kept"))
	if err != nil {
		t.Fatal(err)
	}
	defer k.store.Close()
	treetest.Write(t, filepath.Join(dir, "file"), strings.Repeat("not an archive", 100))
	var messages []string
	for range 2 {
		_, err := k.open(t.Context(), strings.Repeat("a", 64), filepath.Join(dir, "file"))
		if err == nil {
			t.Fatal("the input is unpacked")
		}
		messages = append(messages, err.Error())
	}
	if messages[0] != messages[1] || strings.Contains(messages[0], k.dir) {
		t.Errorf("errors %q", messages)
	}
	if left, err := os.ReadDir(filepath.Join(k.dir, "drafts")); err != nil || len(left) > 0 {
		t.Errorf("the store still has %v, error %v", left, err)
	}
}
