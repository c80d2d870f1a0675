package shape

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

// TestRestoreNames: os-release is as before the initramfs was made, and a link stays a link.
func TestRestoreNames(t *testing.T) {
	named := treetest.Lay(t, t.TempDir(), "etc/os-release -> ../usr/lib/os-release")
	tree := treetest.Lay(t, t.TempDir(), "etc/os-release -> ../usr/lib/os-release")
	treetest.Write(t, filepath.Join(named, "usr/lib/os-release"), "ID=debian\nVERSION_ID=1f\n")
	treetest.Write(t, filepath.Join(tree, "usr/lib/os-release"), "ID=debian\n")
	if err := restoreNames(&task.Task{Tree: tree, Inputs: map[string]string{Named: named}}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(tree, "usr/lib/os-release")); err != nil || string(text) != "ID=debian\nVERSION_ID=1f\n" {
		t.Errorf("os-release is %q, error %v", text, err)
	}
	if to, err := os.Readlink(filepath.Join(tree, "etc/os-release")); err != nil || to != "../usr/lib/os-release" {
		t.Errorf("/etc/os-release leads to %q, error %v", to, err)
	}
}
