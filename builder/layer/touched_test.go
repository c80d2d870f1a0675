package layer

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

func TestTouchOf(t *testing.T) {
	outside := treetest.Lay(t, t.TempDir(), "hostname")
	dir := treetest.Lay(t, t.TempDir(), "etc/app/conf", "opt/x", "link -> "+outside, "file")
	if os.Geteuid() == 0 {
		for _, name := range []string{"gone", "etc/none"} {
			if err := unix.Mknod(filepath.Join(dir, name), unix.S_IFCHR, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Setxattr(filepath.Join(dir, "opt"), "trusted.overlay.opaque", []byte("y"), 0); err != nil {
			treetest.Skip(t, "needs a file system with trusted attributes")
		}
	}
	for name, want := range map[string]Touch{
		"/etc/app/conf": {What: "file"}, "etc/app": {What: "directory"}, "/link": {What: "link"},
		"/etc/other": {}, "/nowhere/x": {}, "/": {What: "directory"},
		// A link in place of a directory hides what was in it, and is not followed.
		"/link/hostname": {What: "removes", By: "link"}, "/file/x": {What: "removes", By: "file"},
	} {
		if got := TouchOf(dir, name); got.What != want.What || got.By != want.By || (got.Info != nil) != (want.What != "" && want.What != "removes") {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root for what overlayfs removes")
	}
	for name, want := range map[string]Touch{
		"/gone": {What: "removes"}, "/gone/a/b": {What: "removes", By: "gone"}, "/etc/none": {What: "removes"}, "/opt/y": {What: "removes", By: "opt"}, "/opt/x": {What: "file"},
	} {
		if got := TouchOf(dir, name); got.What != want.What || got.By != want.By {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
