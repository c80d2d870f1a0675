package commit

import (
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

func TestCopyKernels(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "usr/lib/modules/7.2/", "boot/vmlinuz-7.2", "boot/config-7.2", "boot/System.map-7.2", "boot/config-6.1")
	if err := copyKernels(tree); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"usr/lib/modules/7.2/vmlinuz": true, "usr/lib/modules/7.2/config": true, "usr/lib/modules/7.2/System.map": true, "usr/lib/modules/6.1": false,
	} {
		if got := treefs.Exists(filepath.Join(tree, name)); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
}
