package debian

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

func TestSetAside(t *testing.T) {
	dir := treetest.Lay(t, t.TempDir(), "own@0755")
	for name, there := range map[string]bool{"own": true, "none": false} {
		file := filepath.Join(dir, name)
		restore, err := setAside(file)
		if err != nil || treefs.Exists(file) {
			t.Fatalf("%s: error %v, still there: %v", name, err, treefs.Exists(file))
		}
		if err := restore(); err != nil || treefs.Exists(file) != there {
			t.Errorf("%s: error %v, back: %v", name, err, treefs.Exists(file))
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}
