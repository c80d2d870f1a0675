package commit

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

// TestOtherBytes: the step whose layer holds what differs between two commits is
// named, with the name that the file had there.
func TestOtherBytes(t *testing.T) {
	layers := []task.Layer{{Step: "rootfs/bootstrap", Dir: t.TempDir()}, {Step: "rootfs/exec.config/when", Dir: t.TempDir()}, {Step: "commit/tree", Dir: t.TempDir()}}
	for i, names := range [][]string{
		{"etc/built-at", "etc/passwd", "usr/bin/program", "var/lib/dpkg/status"},
		{"etc/built-at", "root/note", "usr/bin/link"},
		{"usr/etc/built-at", "usr/etc/passwd", "usr/lib/tmpfiles.d/x.conf", "usr/lib/sysimage/dpkg/status", "usr/share/factory/var/roothome/note"},
	} {
		for _, name := range names {
			treetest.Write(t, filepath.Join(layers[i].Dir, name), "x")
		}
	}
	said := attribute(layers, []string{
		"usr/bin/gone", "usr/etc/built-at", "usr/etc/passwd", "usr/bin/program", "usr/lib/sysimage/dpkg/status", "usr/bin/link",
		"usr/lib/tmpfiles.d/x.conf", "usr/share/factory/var/roothome/note", "usr/etc",
	}, debian.Family{}.Database())
	want := []string{
		"rootfs/bootstrap (/etc/passwd, /usr/bin/program, /usr/lib/sysimage/dpkg/status)",
		"rootfs/exec.config/when (/etc/built-at, /usr/bin/link, /root/note)",
		"commit/tree (/usr/lib/tmpfiles.d/x.conf, /usr/etc)",
		"no step (/usr/bin/gone)",
	}
	if !slices.Equal(said, want) {
		t.Errorf("said is\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if said := attribute(layers, []string{"etc/a", "etc/b", "etc/c", "etc/d"}, debian.Family{}.Database()); !slices.Equal(said, []string{"no step (/etc/a, /etc/b, /etc/c and 1 more)"}) {
		t.Errorf("of many: %v", said)
	}
}
