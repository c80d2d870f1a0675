package treefs

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

func TestOverlayFiles(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "usr/bin/", "bin -> usr/bin", "etc/@0700", "etc/old@0600", "etc/linked -> old", "etc/keep", "var/empty/")
	from := treetest.Lay(t, t.TempDir(), "etc/", "etc/old@0666", "etc/linked", "etc/script@0777", "etc/private@0400", "etc/odd@0711", "bin/tool@0755",
		"new/@0770", "new/sub/file", "new/link -> ../../outside", "var/empty/.hidden")
	if err := os.Link(filepath.Join(from, "etc/script"), filepath.Join(from, "etc/twin")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := Overlay(from, tree, &log); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"etc/old": "-rw-r--r--", "etc/script": "-rwxr-xr-x", "etc/private": "-rw-r--r--", "etc/odd": "-rwxr-xr-x",
		"etc": "drwx------", // it was there
		"new": "drwxr-xr-x", "new/sub": "drwxr-xr-x", "new/link": "Lrwxrwxrwx", "bin": "Lrwxrwxrwx",
		"usr/bin/tool": "-rwxr-xr-x", "var/empty/.hidden": "-rw-r--r--", "etc/linked": "-rw-r--r--",
	} {
		if got := treetest.Mode(t, filepath.Join(tree, name)); got != want {
			t.Errorf("%s has mode %s, want %s", name, got, want)
		}
	}
	if got := treetest.Content(t, filepath.Join(tree, "etc/keep")); got != "etc/keep" {
		t.Errorf("etc/keep says %q", got)
	}
	if target, _ := os.Readlink(filepath.Join(tree, "new/link")); target != "../../outside" {
		t.Errorf("the link leads to %q", target)
	}
	a, _ := os.Stat(filepath.Join(tree, "etc/script"))
	b, _ := os.Stat(filepath.Join(tree, "etc/twin"))
	if !os.SameFile(a, b) {
		t.Error("two names of a file became two files")
	}
	if got := log.String(); !strings.Contains(got, "included /bin/tool\n") || !strings.Contains(got, "included /new/link\n") {
		t.Errorf("log %q", got)
	}

	// A later feature wins.
	later := treetest.Lay(t, t.TempDir(), "etc/script")
	if err := os.WriteFile(filepath.Join(later, "etc/script"), []byte("later"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Overlay(later, tree, &log); err != nil {
		t.Fatal(err)
	}
	if got := treetest.Content(t, filepath.Join(tree, "etc/script")); got != "later" {
		t.Errorf("the later file is not there but %q", got)
	}
	if got := treetest.Content(t, filepath.Join(tree, "etc/twin")); got != "etc/script" {
		t.Errorf("the other name of what was replaced changed to %q", got)
	}
}

func TestOverlayFilesRefuses(t *testing.T) {
	outside := treetest.Lay(t, t.TempDir(), "victim")
	for name, tc := range map[string]struct {
		tree, from []string
		want       string
	}{
		"a link out of the tree":        {[]string{"etc/", "etc/out -> " + outside}, []string{"etc/out/victim"}, "/etc/out: the tree's link /etc/out -> " + outside + " leads to nothing"},
		"a relative link out of it":     {[]string{"out -> ../../../../../../.." + outside}, []string{"out/victim"}, "/out: the tree's link /out -> "},
		"a file where a directory is":   {[]string{"etc/dir/"}, []string{"etc/dir"}, "/etc/dir: it is a directory in the tree and not in the feature"},
		"a directory where a file is":   {[]string{"etc/file"}, []string{"etc/file/x"}, "/etc/file: it is a directory in the feature and not in the tree"},
		"a link where a directory is":   {[]string{"etc/dir/"}, []string{"etc/dir -> x"}, "/etc/dir: it is a directory in the tree"},
		"a directory at a dangling one": {[]string{"run -> nowhere"}, []string{"run/x"}, "/run: the tree's link /run -> nowhere leads to nothing"},
		"a directory at a loop":         {[]string{"a -> /b", "b -> /a"}, []string{"a/x"}, "/a: the tree's link /a -> /b leads in a circle"},
		"after a dangling one":          {[]string{"lib/", "lib/x -> /gone"}, []string{"lib/x/sub/file"}, "/lib/x: the tree's link /lib/x -> /gone leads to nothing"},
	} {
		tree, from := treetest.Lay(t, t.TempDir(), tc.tree...), treetest.Lay(t, t.TempDir(), tc.from...)
		err := Overlay(from, tree, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
	}
	if got := treetest.Content(t, filepath.Join(outside, "victim")); got != "victim" {
		t.Errorf("a file outside the tree was changed to %q", got)
	}
}

// TestLinksLeadAsInAChroot: wherever a feature names a file of the tree, the
// tree's links are followed, absolute ones too, and never out of the tree.
func TestLinksLeadAsInAChroot(t *testing.T) {
	debian := []string{
		"etc/ssl/certs/", "etc/ssl/private/", "usr/lib/ssl/certs -> /etc/ssl/certs", "usr/lib/ssl/private -> ../../../etc/ssl/private",
		"run/", "var/run -> /run", "var/lock -> /run/lock", "run/lock/", "bin -> usr/bin", "usr/bin/",
		"etc/alternatives/dir -> /usr/share/one", "usr/share/one/", "usr/share/link -> /etc/alternatives/dir",
		"up -> ../../../../../../etc", "absolute-up -> /../../../etc", "etc/replaced -> /etc/passwd", "etc/passwd",
	}
	for file, lands := range map[string]string{
		"usr/lib/ssl/certs/ca.pem": "etc/ssl/certs/ca.pem", "usr/lib/ssl/private/key": "etc/ssl/private/key",
		"var/run/x/y": "run/x/y", "var/lock/z": "run/lock/z", "bin/tool": "usr/bin/tool",
		"usr/share/link/deep/er": "usr/share/one/deep/er", "up/motd": "etc/motd", "absolute-up/motd": "etc/motd",
		"etc/replaced": "etc/replaced",
	} {
		tree, from := treetest.Lay(t, t.TempDir(), debian...), treetest.Lay(t, t.TempDir(), file)
		if err := os.Link(filepath.Join(from, file), filepath.Join(from, "twin")); err != nil {
			t.Fatal(err)
		}
		if err := Overlay(from, tree, &bytes.Buffer{}); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if mode := treetest.Mode(t, filepath.Join(tree, lands)); mode != "-rw-r--r--" {
			t.Errorf("%s has mode %s", lands, mode)
		}
		if got := treetest.Content(t, filepath.Join(tree, lands)); got != file {
			t.Errorf("%s says %q", lands, got)
		}
		a, _ := os.Stat(filepath.Join(tree, lands))
		if b, err := os.Stat(filepath.Join(tree, "twin")); err != nil || !os.SameFile(a, b) {
			t.Errorf("%s and its twin are two files, error %v", lands, err)
		}
		if got := treetest.Content(t, filepath.Join(tree, "etc/passwd")); got != "etc/passwd" {
			t.Errorf("%s was written through a link", file)
		}
		for _, pattern := range []string{"/" + file, "/" + path.Dir(file) + "/*", "/" + path.Dir(file) + "/**/" + path.Base(file)} {
			found, err := Glob(tree, pattern)
			if err != nil || !slices.Contains(found, "/"+file) {
				t.Errorf("%s matches %v, error %v", pattern, found, err)
			}
		}
		root, err := OpenRoot(tree)
		if err != nil {
			t.Fatal(err)
		}
		err = root.InParent(file, func(dir *os.Root, base string) error { return dir.Remove(base) })
		if root.Close(); err != nil || Exists(filepath.Join(tree, lands)) {
			t.Errorf("remove %s: error %v", file, err)
		}
	}
	tree := treetest.Lay(t, t.TempDir(), debian...)
	if info, err := os.Stat("/etc/hosts"); err != nil || !info.Mode().IsRegular() {
		treetest.Skip(t, "needs /etc/hosts, which could be found by mistake")
	}
	for _, pattern := range []string{"/up/hosts", "/absolute-up/hosts", "/up/host*"} {
		if found, err := Glob(tree, pattern); err != nil || len(found) > 0 {
			t.Errorf("%s leads out of the tree: %v, error %v", pattern, found, err)
		}
	}
}

func TestIncludeMode(t *testing.T) {
	for from, want := range map[fs.FileMode]fs.FileMode{
		0o644: 0o644, 0o600: 0o644, 0o400: 0o644, 0o000: 0o644, 0o666: 0o644, 0o664: 0o644,
		0o755: 0o755, 0o700: 0o755, 0o777: 0o755, 0o100: 0o755, 0o711: 0o755, 0o655: 0o644,
		fs.ModeSetuid | 0o755: 0o755,
	} {
		if got := PlainMode(from); got != want {
			t.Errorf("%v becomes %v, want %v", from, got, want)
		}
	}
}
