package shape

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// shipTree ships what a tree has, by renaming, and lists what there is then.
func shipTree(t *testing.T, entries ...string) (list []string, said []string, err error) {
	t.Helper()
	tree := treetest.Lay(t, t.TempDir(), entries...)
	from := &origin.Origins{Brought: map[string]bool{}}
	for _, dir := range origin.StateDirs {
		if err := treefs.AddChanged(from.Brought, t.TempDir(), tree, dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"srv/theirs", "usr/local/share/theirs"} {
		if err := os.Chown(filepath.Join(tree, name), 33, 33); os.Getuid() == 0 && err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	s := &shipper{tree: tree, move: renamer(tree), from: from, warn: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }}
	err = s.ship()
	walk := filepath.WalkDir(tree, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == tree {
			return err
		}
		name := strings.TrimPrefix(p, tree+"/")
		if d.Type() == fs.ModeSymlink {
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			name += " -> " + target
		}
		if entries, err := os.ReadDir(p); !d.IsDir() || err == nil && len(entries) == 0 {
			list = append(list, name)
		}
		return nil
	})
	if walk != nil {
		t.Fatal(walk)
	}
	return list, said, err
}

// renamer moves files of a tree that is not an overlay.
func renamer(tree string) mover {
	return func(from, to string) error {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(tree, to)), 0o755); err != nil {
			return err
		}
		return os.Rename(filepath.Join(tree, from), filepath.Join(tree, to))
	}
}

func TestShip(t *testing.T) {
	got, said, err := shipTree(t,
		"opt/app/bin/run", "opt/app/bin/self -> ../lib/x", "opt/app/lib/x", "opt/app/out -> ../../etc/app", "opt/app/near -> ../other/x", "opt/current -> app", "opt/empty/deep/", "opt/file",
		"srv/site/page", "srv/site/up/", "srv/data/",
		"usr/local/bin/tool", "usr/local/bin/link -> ../lib/app/run", "usr/local/lib/app/run", "usr/local/lib/libx.so", "usr/local/lib/python3.13/dist-packages/", "usr/local/lib/python3.12/dist-packages/mod/x",
		"usr/local/share/man/man1/tool.1", "usr/local/man -> share/man", "usr/local/share/app/x", "usr/local/top", "usr/local/etc/", "usr/bin/real", "usr/local/sbin/up -> ../../bin/real",
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"opt/app -> /usr/lib/opt/app", "opt/current -> /usr/lib/opt/current", "opt/empty/deep", "opt/file -> /usr/lib/opt/file",
		"srv/data", "srv/site -> /usr/lib/srv/site",
		"usr/bin/real",
		"usr/lib/opt/app/bin/run", "usr/lib/opt/app/bin/self -> ../lib/x", "usr/lib/opt/app/lib/x", "usr/lib/opt/app/near -> /opt/other/x", "usr/lib/opt/app/out -> /etc/app",
		"usr/lib/opt/current -> /opt/app", "usr/lib/opt/file",
		"usr/lib/srv/site/page", "usr/lib/srv/site/up",
		"usr/lib/usrlocal/bin/link -> /usr/local/lib/app/run", "usr/lib/usrlocal/bin/tool", "usr/lib/usrlocal/lib/app/run", "usr/lib/usrlocal/lib/libx.so", "usr/lib/usrlocal/lib/python3.12/dist-packages/mod/x",
		"usr/lib/usrlocal/sbin/up -> /usr/bin/real", "usr/lib/usrlocal/share/app/x", "usr/lib/usrlocal/share/man/man1/tool.1", "usr/lib/usrlocal/top",
		"usr/local/bin/link -> /usr/lib/usrlocal/bin/link", "usr/local/bin/tool -> /usr/lib/usrlocal/bin/tool", "usr/local/etc", "usr/local/lib/app -> /usr/lib/usrlocal/lib/app",
		"usr/local/lib/libx.so -> /usr/lib/usrlocal/lib/libx.so", "usr/local/lib/python3.12/dist-packages/mod -> /usr/lib/usrlocal/lib/python3.12/dist-packages/mod", "usr/local/lib/python3.13/dist-packages",
		"usr/local/man -> share/man", "usr/local/sbin/up -> /usr/lib/usrlocal/sbin/up", "usr/local/share/app -> /usr/lib/usrlocal/share/app",
		"usr/local/share/man/man1/tool.1 -> /usr/lib/usrlocal/share/man/man1/tool.1", "usr/local/top -> /usr/lib/usrlocal/top",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the tree has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(said) > 0 {
		t.Errorf("said %q", said)
	}
}

// What is read before /usr/local is there goes where it is found, each kind.
func TestShipEarly(t *testing.T) {
	for _, name := range []string{"systemd", "sysusers.d", "tmpfiles.d", "udev", "modprobe.d", "modules-load.d", "sysctl.d", "binfmt.d", "environment.d", "kernel", "repart.d", "credstore", "verity.d"} {
		from, to := "usr/local/lib/"+name+"/a/x", "usr/lib/"+name+"/a/x"
		got, _, err := shipTree(t, from, "etc/x -> /"+from, "etc/y -> /usr/local/lib/other/x", "usr/lib/systemd/z -> /"+from)
		want := []string{"etc/x -> /" + to, "etc/y -> /usr/local/lib/other/x", "usr/lib/systemd/z -> /" + to, to, "usr/local/lib"}
		slices.Sort(want)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	// The wants of units are links, relative ones too.
	got, _, err := shipTree(t, "usr/local/lib/systemd/system/a.target.wants/b.service -> ../b.service", "usr/local/lib/systemd/system/b.service")
	if want := []string{"usr/lib/systemd/system/a.target.wants/b.service -> ../b.service", "usr/lib/systemd/system/b.service", "usr/local/lib"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestShipRefuses(t *testing.T) {
	for want, entries := range map[string][]string{
		"where it would be moved, is another file":  {"usr/local/lib/systemd/system/a.service", "usr/lib/systemd/system/a.service"},
		"/usr/lib/opt/app, but that exists already": {"opt/app/x", "usr/lib/opt/app/y"},
	} {
		if _, _, err := shipTree(t, entries...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if os.Getuid() == 0 {
		for name, at := range map[string]string{"srv/theirs": "/var/srv/theirs", "usr/local/share/theirs": "/var/usrlocal/share/theirs"} {
			_, said, err := shipTree(t, name+"/x")
			if err != nil || len(said) != 1 || !strings.Contains(said[0], "/"+name+" does not belong to root, but is read-only") || !strings.Contains(said[0], "must be at "+at+" ") {
				t.Errorf("said %q, %v", said, err)
			}
		}
	}
}

func TestMergeInto(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "srv/a/x", "srv/b/", "var/srv/a/y")
	if err := relocate(tree, "srv", "var/srv", "var/srv", renamer(tree)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"var/srv/a/x", "var/srv/a/y", "var/srv/b"} {
		if !treefs.Exists(filepath.Join(tree, name)) {
			t.Errorf("/%s is missing", name)
		}
	}
	tree = treetest.Lay(t, t.TempDir(), "srv/a", "var/srv/a/y")
	if err := relocate(tree, "srv", "var/srv", "var/srv", renamer(tree)); err == nil || !strings.Contains(err.Error(), "/srv/a and /var/srv/a both exist") {
		t.Errorf("error %v", err)
	}
	// Links that lead out keep leading there.
	tree = treetest.Lay(t, t.TempDir(), "root/in -> a/b", "root/out -> ../etc/x")
	if err := relocate(tree, "root", "var/roothome", "var/roothome", renamer(tree)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"in": "a/b", "out": "/etc/x"} {
		if got, _ := os.Readlink(filepath.Join(tree, "var/roothome", name)); got != want {
			t.Errorf("%s leads to %q, want %q", name, got, want)
		}
	}
}
