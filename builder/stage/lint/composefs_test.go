package lint

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

func TestLintComposefs(t *testing.T) {
	const with, without = "ELF composefs", "ELF composefs: enabled at runtime, but support is not compiled in"
	for _, c := range []struct {
		conf, program string
		fault         bool
	}{
		{"# comment\n[composefs]\nenabled = yes\n\n[sysroot]\nreadonly = true\n", with, false},
		{"# comment\n[composefs]\nenabled = yes\n\n[sysroot]\nreadonly = true\n", without, true},
		{"[composefs]\nenabled=verity\n", without, true},
		{"[composefs]\nenabled = no\n", without, false},
		{"[composefs]\nenabled = maybe\n", without, false},
		{"[sysroot]\nenabled = yes\n", without, false},
		{"[composefs]\nenabled = yes\n[composefs]\nenabled = no\n", without, false},
	} {
		tree := goodTree(t)
		treetest.Write(t, filepath.Join(tree, prepareRootConf), c.conf)
		treetest.Write(t, filepath.Join(tree, prepareRoot), c.program)
		err := Tree(tree, dpkg, nil, nil)
		if c.fault && (err == nil || !strings.Contains(err.Error(), "turns composefs on, but")) || !c.fault && err != nil {
			t.Errorf("%q with %q: %v", c.conf, c.program, err)
		}
	}
}
