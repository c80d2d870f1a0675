package commit

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

// TestUnnamed: fields that name a build are left out, others and files without any stay as they are.
func TestUnnamed(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "etc/os-release -> ../usr/lib/os-release")
	file := filepath.Join(tree, "usr/lib/os-release")
	for text, want := range map[string]string{
		"ID=debian\nVERSION_ID=\"1f\"\nIMAGE_ID=a\nVERSION_CODENAME=forky\nIMAGE_VERSION=20261028": "ID=debian\nVERSION_CODENAME=forky\n",
		"ID=debian\n# VERSION_ID=1\n": "ID=debian\n# VERSION_ID=1\n",
	} {
		treetest.Write(t, file, text)
		before, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := UnnamedAction.Do(context.Background(), &task.Task{Tree: tree, Step: &plan.Step{}}); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("of %q is left %q, error %v", text, got, err)
		}
		if after, err := os.Stat(file); err != nil || text == want && !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("%q was written, error %v", text, err)
		}
	}
}
