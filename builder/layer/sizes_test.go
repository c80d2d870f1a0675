package layer

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// The files of a tree are those of the highest layer that has them.
func TestRootSizes(t *testing.T) {
	if os.Getuid() != 0 {
		treetest.Skip(t, "needs root: only root makes directories opaque; run it as CI does, sudo make test")
	}
	low, high := t.TempDir(), t.TempDir()
	write := func(dir, name string, size int) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, size := range map[string]int{"usr/kept": 1, "usr/replaced": 2, "usr/removed": 4, "gone/file": 8, "opaque/old": 16, "became/dir": 32, "file": 64} {
		write(low, name, size)
	}
	must(os.Symlink("kept", filepath.Join(low, "usr/link")))
	must(os.Link(filepath.Join(low, "usr/kept"), filepath.Join(low, "usr/same")))
	write(high, "usr/replaced", 128)
	write(high, "opaque/new", 256)
	write(high, "became", 512)
	write(high, "file/within", 1024)
	must(unix.Mknod(filepath.Join(high, "usr/removed"), unix.S_IFCHR, 0))
	must(unix.Mknod(filepath.Join(high, "gone"), unix.S_IFCHR, 0))
	must(unix.Setxattr(filepath.Join(high, "opaque"), "trusted.overlay.opaque", []byte("y"), 0))

	files, err := Sizes([]string{low, high})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Sized{}
	for _, f := range files {
		got[f.Path] = f
	}
	want := map[string]Sized{}
	for _, f := range []Sized{
		{"/became", 512, 1}, {"/file/within", 1024, 1}, {"/opaque/new", 256, 1}, {"/usr/replaced", 128, 1}, {"/usr/kept", 1, 0}, {"/usr/same", 0, 0},
	} {
		want[f.Path] = f
	}
	if !reflect.DeepEqual(got, want) || len(files) != len(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if _, err := Sizes([]string{filepath.Join(low, "nothing")}); err == nil {
		t.Error("a layer that is not there is no error")
	}
}
