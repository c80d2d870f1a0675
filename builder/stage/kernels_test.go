package stage

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

func TestNextVersion(t *testing.T) {
	for _, tc := range [][3]string{
		{"20260101", "", "20260101"}, {"20260101", "20251231", "20260101"}, {"20260101", "20260101", "20260101.1"},
		{"20260101", "20260101.1", "20260101.2"}, {"20260101", "20260101.9", "20260101.10"},
		{"20260101", "20260101.x", "20260101"}, {"20260101", "202601011", "20260101"}, {"20260101", "20251231.4", "20260101"},
		{"20260101", "20260105", "20260105.1"}, {"20260101", "20260105.2", "20260105.3"},
	} {
		if got := nextVersion(tc[0], tc[1]); got != tc[2] {
			t.Errorf("after %q comes %q, want %q", tc[1], got, tc[2])
		}
	}
}
