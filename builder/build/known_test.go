package build

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// TestPathNames: completion gets the files of the merged layers, and nothing from outside
// of them.
func TestPathNames(t *testing.T) {
	if err := unix.Mknod(filepath.Join(t.TempDir(), "whiteout"), unix.S_IFCHR, 0); err != nil {
		treetest.Skip(t, "needs to make whiteouts: %v", err)
	}
	b := &Builder{options: Options{Cache: t.TempDir()}}
	if got := b.PathNames("x", "/"); got != nil || b.StepNames("x") != nil {
		t.Errorf("before the first plan there is %q, and the steps are %q", got, b.StepNames("x"))
	}
	if _, err := os.Stat(filepath.Join(b.options.Cache, "store")); err == nil {
		t.Error("a store was made")
	}
	data := func(key string) string { return filepath.Join(b.options.Cache, "store/results", key, "data") }
	outside := treetest.Lay(t, t.TempDir(), "secret")
	treetest.Lay(t, data("one"), "etc/hostname", "etc/host.conf", "etc/ssh/", "etc/old", "opt/gone/file", "usr/bin/bash", "bin -> usr/bin", "out -> "+outside)
	treetest.Lay(t, data("two"), "etc/hosts", "opt/kept")
	treetest.Lay(t, data("tools"), "etc/qemu")
	for _, gone := range []string{"etc/old", "opt/gone"} {
		if err := unix.Mknod(filepath.Join(data("two"), gone), unix.S_IFCHR, 0); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := json.Marshal([]known{
		{ID: "rootfs/one", Key: "one", System: true}, {ID: "tools/q", Key: "tools"}, {ID: "rootfs/two", Key: "two", System: true}, {ID: "rootfs/none", Key: "none", System: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, b.knownPath("x"), string(raw))
	if got, want := b.StepNames("x"), []string{"rootfs/one", "tools/q", "rootfs/two", "rootfs/none"}; !slices.Equal(got, want) {
		t.Errorf("the steps are %q, want %q", got, want)
	}
	for prefix, want := range map[string][]string{
		"/":          {"/bin", "/etc/", "/opt/", "/out", "/usr/"},
		"/e":         {"/etc/"},
		"/etc/":      {"/etc/host.conf", "/etc/hostname", "/etc/hosts", "/etc/ssh/"},
		"/etc/host":  {"/etc/host.conf", "/etc/hostname", "/etc/hosts"},
		"/bin/b":     {"/bin/bash"},
		"/opt/":      {"/opt/kept"},
		"/opt/gone/": nil, "/out/": nil, "/../": nil, "/nowhere/": nil, "etc/": nil, "": nil,
	} {
		if got := b.PathNames("x", prefix); !slices.Equal(got, want) {
			t.Errorf("%q can be %q, want %q", prefix, got, want)
		}
	}
	for _, damaged := range []string{"", "{", "\x00"} {
		treetest.Write(t, b.knownPath("x"), damaged)
		if got := b.StepNames("x"); got != nil {
			t.Errorf("%q: the steps are %q", damaged, got)
		}
	}
}
