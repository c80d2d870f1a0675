package ostree

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestDifferences: what differs between two commits is found.
func TestDifferences(t *testing.T) {
	r := makeReal(t)
	tree := t.TempDir()
	// Against the tree of makeReal: one file gone, one new, one changed, one
	// directory with another mode.
	for name, text := range map[string]string{
		"usr/bin/program": strings.Repeat("program ", 1000), "usr/etc/built-at": "three\n", "usr/lib/sysimage/dpkg/status": "x\n",
		"usr/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "usr/etc/group": "root:x:0:\n", "usr/share/factory/var/roothome/note": "x\n",
		"usr/lib/tmpfiles.d/x.conf": "x\n",
	} {
		treetest.Write(t, filepath.Join(tree, name), text)
	}
	if err := os.Symlink("program", filepath.Join(tree, "usr/bin/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(tree, "usr/bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	third := r.commit(tree, "--parent="+r.head)
	repo := Repository{dir: r.dir}
	one, err := repo.Commit(r.head)
	if err != nil {
		t.Fatal(err)
	}
	two, err := repo.Commit(third)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := Differences(repo, one.Tree, repo, two.Tree)
	if want := []string{"usr/bin", "usr/etc/built-at", "usr/lib", "usr/share/doc", "usr/share/factory"}; err != nil || !slices.Equal(paths, want) {
		t.Errorf("these differ: %v, error %v; want %v", paths, err, want)
	}
	if paths, err := Differences(repo, one.Tree, repo, one.Tree); len(paths) > 0 || err != nil {
		t.Errorf("a tree differs from itself: %v, error %v", paths, err)
	}
}
