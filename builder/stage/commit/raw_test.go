package commit

import (
	"reflect"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

func TestCompressedModules(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(),
		"usr/lib/modules/6.12/kernel/a.ko.xz", "usr/lib/modules/6.12/kernel/net/b.ko.zst", "usr/lib/modules/6.12/modules.dep", "usr/lib/modules/6.12/kernel/c.ko",
		"usr/lib/modules/7.2/kernel/d.ko.xz", "usr/lib/modules/6.1/kernel/e.ko", "usr/share/f.ko.xz")
	found, kernels, err := compressedModules(tree)
	want := map[string][]string{
		".ko.xz":  {"usr/lib/modules/6.12/kernel/a.ko.xz", "usr/lib/modules/7.2/kernel/d.ko.xz"},
		".ko.zst": {"usr/lib/modules/6.12/kernel/net/b.ko.zst"},
	}
	if err != nil || !reflect.DeepEqual(found, want) || !reflect.DeepEqual(kernels, []string{"6.12", "7.2"}) {
		t.Errorf("%v of %v, %v; want %v", found, kernels, err, want)
	}
	if found, kernels, err := compressedModules(t.TempDir()); len(found)+len(kernels) != 0 || err != nil {
		t.Errorf("a tree without modules: %v, %v, %v", found, kernels, err)
	}
}
