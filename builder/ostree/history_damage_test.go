package ostree

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// TestTakeOverOfDamagedHistory: what is damaged in the history, and what only that leads
// to, is left out when it is taken over, and completeness is what is asked for
// in the end.
func TestTakeOverOfDamagedHistory(t *testing.T) {
	r := makeReal(t)
	usr, err := Repository{dir: r.dir}.dirtreeAt(r.head, "usr")
	if err != nil {
		t.Fatal(err)
	}
	bad := usr + ".dirtree"
	take := func() (Repository, []Damage) {
		t.Helper()
		out := Repository{dir: filepath.Join(t.TempDir(), "out")}
		runOSTree(t, "--repo="+out.dir, "init", "--mode=archive")
		lost, err := Repository{dir: r.dir}.copyObjects(out, map[string]string{testRef: r.head}, map[string]bool{bad: true})
		if err != nil {
			t.Fatal(err)
		}
		treetest.Write(t, filepath.Join(out.dir, "refs/heads", testRef), r.head+"\n")
		return out, lost
	}
	flip(t, filepath.Join(r.dir, ObjectPath(bad)))
	out, lost := take()
	if len(lost) != 1 || lost[0].Object != bad || lost[0].Commit != r.head {
		t.Fatalf("lost: %+v", lost)
	}
	if err := out.Complete("/the/history", lost); err == nil || !strings.Contains(err.Error(), "/the/history is damaged") || !strings.Contains(err.Error(), ObjectPath(bad)) {
		t.Errorf("error %v", err)
	}
	whole := makeReal(t)
	for _, name := range (Repository{dir: whole.dir}).reach(map[string]string{testRef: whole.head}, nil).objects {
		if !treefs.Exists(filepath.Join(out.dir, ObjectPath(name))) {
			if err := (Repository{dir: whole.dir}).place(name, out, copied); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := out.Complete("/the/history", lost); err != nil {
		t.Error(err)
	}
	runOSTree(t, "--repo="+out.dir, "fsck", "--quiet")
}

// dirtreeAt is the checksum of a directory of a commit's root.
func (r Repository) dirtreeAt(commit, name string) (string, error) {
	c, err := r.Commit(commit)
	if err != nil {
		return "", err
	}
	root, _, _ := strings.Cut(c.Tree, ".")
	dir, err := r.dirtree(root)
	if err != nil {
		return "", err
	}
	if dir.Dirs[name] == "" {
		return "", fmt.Errorf("no %s", name)
	}
	return dir.Dirs[name], nil
}
