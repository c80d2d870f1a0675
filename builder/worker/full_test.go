package worker

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/plan"
)

// TestRootFull: if the disk of a worker is full, steps do not fail, and one warning is printed.
func TestRootFull(t *testing.T) {
	needRoot(t)
	g := wholeGraph(t)
	here := newBuilder(t, nil)
	here.build(t, g)
	for what, options := range map[string]string{"no space": "size=64k", "no room for files": "size=1g,nr_inodes=60"} {
		m := newMachines(t)
		dir := filepath.Dir(m.kept)
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		b := newBuilder(t, m)
		b.build(t, g)
		sameResults(t, g, b, here)
		if len(b.warned) != 1 || !strings.Contains(b.warned[0], "cannot carry out steps: the disk with "+m.kept+" is full or nearly full; such steps run on this machine") {
			t.Errorf("%s: warned of %q", what, b.warned)
		}
		// A step that fails for another reason fails on this machine, too.
		if failed, _ := failureOf(t, newBuilder(t, m), graphOf(t, fails.Step("command", plan.Step{ID: "fails"}))); failed.Err.Error() != "sh: exit status 3" {
			t.Errorf("%s: error %v", what, failed)
		}
	}
}
