package shape

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// dpkg is the package database that the trees of the tests have.
var dpkg = debian.Family{}.Database()

// phases are the trees of a composition, each with all that the one before has.
func phases(t *testing.T, added ...[]string) (tree string, steps map[string]string) {
	t.Helper()
	steps = map[string]string{}
	var entries []string
	for i, name := range []string{"bootstrap", "early", "packages", "files", "scripts"} {
		if i < len(added) {
			entries = append(entries, added[i]...)
		}
		steps[name] = treetest.Lay(t, t.TempDir(), entries...)
	}
	return steps["scripts"], steps
}

func TestOrigins(t *testing.T) {
	tree, steps := phases(t, []string{"var/lib/base"}, []string{"opt/early"}, []string{"var/lib/pkg", "srv/", "etc/x"}, []string{"srv/site/page", "etc/y"}, []string{"var/lib/made -> pkg", "boot/x"})
	treetest.Write(t, filepath.Join(tree, "var/lib/pkg"), "as long ..") // as many bytes
	treetest.Write(t, filepath.Join(tree, "var/lib/pkg"), "war/lib/pkg")
	from, err := origin.Find(dpkg, steps)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(from.Brought)), []string{"etc/y", "srv/site", "srv/site/page"}; !slices.Equal(got, want) {
		t.Errorf("brought %q, want %q", got, want)
	}
	if got, want := slices.Sorted(maps.Keys(from.Scripted)), []string{"boot", "boot/x", "opt", "opt/early", "var/lib/made", "var/lib/pkg"}; !slices.Equal(got, want) {
		t.Errorf("scripted %q, want %q", got, want)
	}
}

// For each kind of what is in /var and of who put it there: what stays.
func TestClearVar(t *testing.T) {
	packages := []string{"var/log/apt/history.log", "var/log/dpkg.log", "var/log/pkg/x", "var/cache/man/index", "var/cache/pkg/x", "var/lib/apt/lists/x", "var/lib/kept/x",
		"var/tmp/pkg", "var/backups/dpkg.status.0", "var/lib/flatpak/repo/config", "var/lib/systemd/deb-systemd-helper-enabled/x", "var/cache/ldconfig/aux-cache", "var/lib/dbus/machine-id -> x"}
	brought := []string{"var/lib/apt/mine", "var/cache/debconf/mine", "var/cache/mine/x", "var/log/mine/x", "var/tmp/mine", "var/backups/mine", "var/lib/ucf/mine/"}
	scripted := []string{"var/cache/script/x", "var/cache/apt/pkgcache.bin", "var/cache/debconf/config.dat-old", "var/log/script.log", "var/log/some/a", "var/log/some/b", "var/tmp/script", "var/backups/script",
		"var/log/lastlog", "var/log/alternatives.log", "var/lib/script", "var/cache/fontconfig/x"}
	tree, steps := phases(t, nil, nil, packages, brought, scripted)
	from, err := origin.Find(dpkg, steps)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	if err := clearVar(tree, PackagingState(debian.Family{}), from, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }); err != nil {
		t.Fatal(err)
	}
	stays := append(slices.Clone(brought), "var/lib/kept/x", "var/lib/script", "var/cache/script/x", "var/log/apt/", "var/log/pkg/", "var/cache/pkg/", "var/log/some/")
	for _, e := range slices.Concat(packages, brought, scripted) {
		name, _, _ := strings.Cut(e, " -> ")
		if got, want := treefs.Exists(filepath.Join(tree, name)), slices.Contains(stays, name); got != want {
			t.Errorf("/%s stays: %v, want %v", name, got, want)
		}
	}
	for _, name := range stays {
		if !treefs.Exists(filepath.Join(tree, name)) {
			t.Errorf("/%s is gone", name)
		}
	}
	text := strings.Join(said, "\n")
	for _, want := range []string{"/var/log: scripts of features left script.log there", "/var/log/some: scripts of features left a, b there", "/var/tmp: scripts of features left script there", "/var/backups: scripts of features left script there"} {
		if !strings.Contains(text, want) {
			t.Errorf("said\n%s\nwant %q", text, want)
		}
	}
	if len(said) != 4 {
		t.Errorf("said\n%s", text)
	}
}

// State whose parts belong together stays whole if a feature had a hand in it.
func TestClearVarKeepsWhole(t *testing.T) {
	for phase, added := range map[string][][]string{
		"files":   {nil, nil, {"var/lib/flatpak/repo/config"}, {"var/lib/flatpak/app/x"}},
		"scripts": {nil, nil, {"var/lib/flatpak/repo/config"}, nil, {"var/lib/flatpak/app/x"}},
	} {
		tree, steps := phases(t, added...)
		from, err := origin.Find(dpkg, steps)
		if err != nil {
			t.Fatal(err)
		}
		if err := clearVar(tree, PackagingState(debian.Family{}), from, t.Errorf); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"var/lib/flatpak/repo/config", "var/lib/flatpak/app/x"} {
			if !treefs.Exists(filepath.Join(tree, name)) {
				t.Errorf("%s: /%s is gone", phase, name)
			}
		}
	}
}

// What exec.build or a script put where a commit has nothing is an error.
func TestMisplaced(t *testing.T) {
	for _, place := range []string{"boot/x", "efi/x", "tmp/x", "run/a/x", "dev/x", "proc/x", "sys/x", "sysroot/x", "ostree/x", "media/x", "usr/etc/x", "usr/share/factory/var/x", "usr/lib/sysimage/dpkg/x", "run/empty/"} {
		for _, phase := range []int{1, 3, 4} {
			added := make([][]string, 5)
			added[2] = []string{"boot/config-7", "boot/grub/x", "media/cdrom/", "run/lock/"}
			added[4] = []string{"boot/vmlinuz-7", "boot/initrd.img-7"}
			added[phase] = append(added[phase], place)
			tree, steps := phases(t, added...)
			from, err := origin.Find(dpkg, steps)
			if err != nil {
				t.Fatal(err)
			}
			err = origin.Misplaced(tree, dpkg, from)
			if err == nil || !strings.Contains(err.Error(), "\n  /"+strings.TrimSuffix(place, "/")+": ") || strings.Count(err.Error(), "\n") != 1 {
				t.Errorf("%s in phase %d: error %v", place, phase, err)
			}
		}
	}
	tree, steps := phases(t, nil, nil, []string{"boot/x", "media/cdrom/x", "run/x"}, []string{"etc/x"})
	from, err := origin.Find(dpkg, steps)
	if err != nil {
		t.Fatal(err)
	}
	if err := origin.Misplaced(tree, dpkg, from); err != nil {
		t.Errorf("what packages left: %v", err)
	}
}
