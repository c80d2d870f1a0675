package stage

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treefs"
)

// lay makes a tree: "dir/" is a folder, "link -> target" a link, anything else
// a file whose content is its name. A mode may follow: "file@0600".
func lay(t *testing.T, dir string, entries ...string) string {
	t.Helper()
	for _, e := range entries {
		name, target, link := strings.Cut(e, " -> ")
		name, modeText, _ := strings.Cut(name, "@")
		mode := fs.FileMode(0o644)
		if modeText != "" {
			if _, err := fmt.Sscanf(modeText, "%o", &mode); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case link:
			err = os.Symlink(target, path)
		case strings.HasSuffix(name, "/"):
			if modeText == "" {
				mode = 0o755
			}
			if err = os.MkdirAll(path, 0o755); err == nil {
				err = os.Chmod(path, mode)
			}
		default:
			if err = os.WriteFile(path, []byte(name), 0o644); err == nil {
				err = os.Chmod(path, mode)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// modeOf returns a file's mode as ls writes it.
func modeOf(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().String()
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOverlayFiles(t *testing.T) {
	tree := lay(t, t.TempDir(), "usr/bin/", "bin -> usr/bin", "etc/@0700", "etc/old@0600", "etc/linked -> old", "etc/keep", "var/empty/")
	from := lay(t, t.TempDir(), "etc/", "etc/old@0666", "etc/linked", "etc/script@0777", "etc/private@0400", "etc/odd@0711", "bin/tool@0755",
		"new/@0770", "new/sub/file", "new/link -> ../../outside", "var/empty/.hidden")
	if err := os.Link(filepath.Join(from, "etc/script"), filepath.Join(from, "etc/twin")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := overlayFiles(from, tree, &log); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"etc/old": "-rw-r--r--", "etc/script": "-rwxr-xr-x", "etc/private": "-rw-r--r--", "etc/odd": "-rwxr-xr-x",
		"etc": "drwx------", // it was there
		"new": "drwxr-xr-x", "new/sub": "drwxr-xr-x", "new/link": "Lrwxrwxrwx", "bin": "Lrwxrwxrwx",
		"usr/bin/tool": "-rwxr-xr-x", "var/empty/.hidden": "-rw-r--r--", "etc/linked": "-rw-r--r--",
	} {
		if got := modeOf(t, filepath.Join(tree, name)); got != want {
			t.Errorf("%s has mode %s, want %s", name, got, want)
		}
	}
	if got := contentOf(t, filepath.Join(tree, "etc/keep")); got != "etc/keep" {
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
	later := lay(t, t.TempDir(), "etc/script")
	if err := os.WriteFile(filepath.Join(later, "etc/script"), []byte("later"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := overlayFiles(later, tree, &log); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, filepath.Join(tree, "etc/script")); got != "later" {
		t.Errorf("the later file is not there but %q", got)
	}
	if got := contentOf(t, filepath.Join(tree, "etc/twin")); got != "etc/script" {
		t.Errorf("the other name of what was replaced changed to %q", got)
	}
}

func TestOverlayFilesRefuses(t *testing.T) {
	outside := lay(t, t.TempDir(), "victim")
	for name, tc := range map[string]struct {
		tree, from []string
		want       string
	}{
		"a link out of the tree":     {[]string{"etc/", "etc/out -> " + outside}, []string{"etc/out/victim"}, "/etc/out: the tree's link /etc/out -> " + outside + " leads to nothing"},
		"a relative link out of it":  {[]string{"out -> ../../../../../../.." + outside}, []string{"out/victim"}, "/out: the tree's link /out -> "},
		"a file where a folder is":   {[]string{"etc/dir/"}, []string{"etc/dir"}, "/etc/dir: it is a directory in the tree and not in the feature"},
		"a folder where a file is":   {[]string{"etc/file"}, []string{"etc/file/x"}, "/etc/file: it is a directory in the feature and not in the tree"},
		"a link where a folder is":   {[]string{"etc/dir/"}, []string{"etc/dir -> x"}, "/etc/dir: it is a directory in the tree"},
		"a folder at a dangling one": {[]string{"run -> nowhere"}, []string{"run/x"}, "/run: the tree's link /run -> nowhere leads to nothing"},
		"a folder at a loop":         {[]string{"a -> /b", "b -> /a"}, []string{"a/x"}, "/a: the tree's link /a -> /b leads round in a circle"},
		"behind a dangling one":      {[]string{"lib/", "lib/x -> /gone"}, []string{"lib/x/sub/file"}, "/lib/x: the tree's link /lib/x -> /gone leads to nothing"},
	} {
		tree, from := lay(t, t.TempDir(), tc.tree...), lay(t, t.TempDir(), tc.from...)
		err := overlayFiles(from, tree, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
	}
	if got := contentOf(t, filepath.Join(outside, "victim")); got != "victim" {
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
		tree, from := lay(t, t.TempDir(), debian...), lay(t, t.TempDir(), file)
		if err := os.Link(filepath.Join(from, file), filepath.Join(from, "twin")); err != nil {
			t.Fatal(err)
		}
		if err := overlayFiles(from, tree, &bytes.Buffer{}); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if mode := modeOf(t, filepath.Join(tree, lands)); mode != "-rw-r--r--" {
			t.Errorf("%s has mode %s", lands, mode)
		}
		if got := contentOf(t, filepath.Join(tree, lands)); got != file {
			t.Errorf("%s says %q", lands, got)
		}
		a, _ := os.Stat(filepath.Join(tree, lands))
		if b, err := os.Stat(filepath.Join(tree, "twin")); err != nil || !os.SameFile(a, b) {
			t.Errorf("%s and its twin are two files, error %v", lands, err)
		}
		if got := contentOf(t, filepath.Join(tree, "etc/passwd")); got != "etc/passwd" {
			t.Errorf("%s was written through a link", file)
		}
		for _, pattern := range []string{"/" + file, "/" + path.Dir(file) + "/*", "/" + path.Dir(file) + "/**/" + path.Base(file)} {
			found, err := globTree(tree, pattern)
			if err != nil || !slices.Contains(found, "/"+file) {
				t.Errorf("%s matches %v, error %v", pattern, found, err)
			}
		}
		task := &Task{Step: &plan.Step{Params: encode(linesParams{Feature: "x", Lines: []string{"/" + file, "/twin"}})}, Tree: tree, Log: &bytes.Buffer{}}
		if err := excludeAction(context.Background(), task); err != nil || treefs.Exists(filepath.Join(tree, lands)) {
			t.Errorf("exclude %s: error %v", file, err)
		}
	}
	tree := lay(t, t.TempDir(), debian...)
	if info, err := os.Stat("/etc/hosts"); err != nil || !info.Mode().IsRegular() {
		t.Skip("this machine has no /etc/hosts to be found by mistake")
	}
	for _, pattern := range []string{"/up/hosts", "/absolute-up/hosts", "/up/host*"} {
		if found, err := globTree(tree, pattern); err != nil || len(found) > 0 {
			t.Errorf("%s leads out of the tree: %v, error %v", pattern, found, err)
		}
	}
}

func TestSetAside(t *testing.T) {
	dir := lay(t, t.TempDir(), "own@0755")
	for name, there := range map[string]bool{"own": true, "none": false} {
		file := filepath.Join(dir, name)
		restore, err := setAside(file)
		if err != nil || treefs.Exists(file) {
			t.Fatalf("%s: error %v, still there: %v", name, err, treefs.Exists(file))
		}
		if err := restore(); err != nil || treefs.Exists(file) != there {
			t.Errorf("%s: error %v, back: %v", name, err, treefs.Exists(file))
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}

func TestIncludeMode(t *testing.T) {
	for from, want := range map[fs.FileMode]fs.FileMode{
		0o644: 0o644, 0o600: 0o644, 0o400: 0o644, 0o000: 0o644, 0o666: 0o644, 0o664: 0o644,
		0o755: 0o755, 0o700: 0o755, 0o777: 0o755, 0o100: 0o755, 0o711: 0o755, 0o655: 0o644,
		fs.ModeSetuid | 0o755: 0o755,
	} {
		if got := includeMode(from); got != want {
			t.Errorf("%v becomes %v, want %v", from, got, want)
		}
	}
}

func TestGlobTree(t *testing.T) {
	tree := lay(t, t.TempDir(), "etc/a.conf", "etc/b.conf", "etc/.hidden.conf", "etc/sub/c.conf", "etc/sub/deep/d.conf", "etc/.git/e.conf",
		"usr/share/doc/bash/README", "usr/share/doc/bash/copyright", "usr/bin/tool", "bin -> usr/bin", "dangling -> nowhere",
		"etc/we ird/x", "etc/[odd]", "etc/loop -> .", "abs -> /etc")
	for _, tc := range []struct {
		pattern string
		want    []string
	}{
		{"/etc/a.conf", []string{"/etc/a.conf"}},
		{"etc/a.conf", []string{"/etc/a.conf"}},
		{"/etc/none", nil},
		{"/etc/*.conf", []string{"/etc/a.conf", "/etc/b.conf"}},
		{"/etc/.*.conf", []string{"/etc/.hidden.conf"}},
		{"/etc/?.conf", []string{"/etc/a.conf", "/etc/b.conf"}},
		{"/etc/[!a].conf", []string{"/etc/b.conf"}},
		{"/etc/[^a].conf", []string{"/etc/b.conf"}},
		{"/etc/[ab].conf", []string{"/etc/a.conf", "/etc/b.conf"}},
		{"/etc/*/c.conf", []string{"/etc/sub/c.conf"}},
		{"/etc/**/*.conf", []string{"/etc/a.conf", "/etc/b.conf", "/etc/sub/c.conf", "/etc/sub/deep/d.conf"}},
		{"/**/README", []string{"/usr/share/doc/bash/README"}},
		{"/usr/share/doc/**", []string{"/usr/share/doc", "/usr/share/doc/bash", "/usr/share/doc/bash/README", "/usr/share/doc/bash/copyright"}},
		{"/usr/share/doc/*/[!c]*", []string{"/usr/share/doc/bash/README"}},
		{`/etc/\[!odd]`, nil},
		{"/bin/*", []string{"/bin/tool"}},
		{"/bin", []string{"/bin"}},
		{"/dangling", []string{"/dangling"}},
		{"/dang*", []string{"/dangling"}},
		{"/etc/we ird/*", []string{"/etc/we ird/x"}},
		{`/etc/\[odd\]`, []string{"/etc/[odd]"}},
		{"/etc/../etc/a.conf", []string{"/etc/a.conf"}},
		{"/../../etc/a.conf", []string{"/etc/a.conf"}},
		{"/etc/sub/", []string{"/etc/sub"}},
		{"/etc/a.conf/", nil},
		{"/etc/a.conf/**", nil},
		{"/usr/*/", []string{"/usr/bin", "/usr/share"}},
		{"/usr/**/", []string{"/usr", "/usr/bin", "/usr/share", "/usr/share/doc", "/usr/share/doc/bash"}},
		{"/usr/**/**/bash", []string{"/usr/share/doc/bash"}},
		{"/**/tool", []string{"/bin/tool", "/usr/bin/tool"}},
		{"/usr/share/doc/bash/[[:upper:]]*", []string{"/usr/share/doc/bash/README"}},
		{"/usr/share/doc/bash/[[:upper:]c-d]*", []string{"/usr/share/doc/bash/README", "/usr/share/doc/bash/copyright"}},
		{"/etc/[]x[]odd*", []string{"/etc/[odd]"}},
		{`/etc/[\[]odd[\]]`, []string{"/etc/[odd]"}},
		{"/etc/[z-a].conf", nil},
		{"/etc/[a", nil},
		{"/etc/[odd*", []string{"/etc/[odd]"}},
		{"/etc/[.]hidden.conf", nil},
		{"/etc/{a,b}.conf", nil},
	} {
		got, err := globTree(tree, tc.pattern)
		if err != nil {
			t.Errorf("%s: %v", tc.pattern, err)
			continue
		}
		slices.Sort(got)
		got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "/loop") || strings.Contains(s, "/abs/") })
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.pattern, got, tc.want)
		}
	}
}

func TestExcludeAction(t *testing.T) {
	tree := lay(t, t.TempDir(), "usr/share/doc/a/x", "usr/share/doc/b/y", "etc/gone", "etc/kept", "link -> etc/kept")
	var log bytes.Buffer
	task := &Task{Tree: tree, Log: &log, Step: &plan.Step{ID: "x", Params: encode(linesParams{Feature: "f", Lines: []string{"/usr/share/doc/*", `"/etc/gone"`, "/link", "/none"}})}}
	if err := excludeAction(context.Background(), task); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"usr/share/doc": true, "usr/share/doc/a": false, "etc/gone": false, "etc/kept": true, "link": false} {
		if got := treefs.Exists(filepath.Join(tree, name)); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
	if want := "removed /usr/share/doc/a\nremoved /usr/share/doc/b\nremoved /etc/gone\nremoved /link\n"; log.String() != want {
		t.Errorf("log %q, want %q", log.String(), want)
	}
	// The tree itself is nothing to exclude.
	task.Step.Params = encode(linesParams{Feature: "f", Lines: []string{"/"}})
	if err := excludeAction(context.Background(), task); err == nil || !treefs.Exists(filepath.Join(tree, "etc/kept")) {
		t.Errorf("excluding / gives %v", err)
	}
}
