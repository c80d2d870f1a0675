package stage

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOtherBytes: what differs between two commits is found, and the step whose
// layer holds it is named, by the name that the file had there.
func TestOtherBytes(t *testing.T) {
	r := makeReal(t)
	tree := t.TempDir()
	// Against the tree of makeReal: one file gone, one new, one changed, one
	// directory with another mode.
	for name, text := range map[string]string{
		"usr/bin/program": strings.Repeat("program ", 1000), "usr/etc/built-at": "three\n", "usr/lib/sysimage/dpkg/status": "x\n",
		"usr/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "usr/etc/group": "root:x:0:\n", "usr/share/factory/var/roothome/note": "x\n",
		"usr/lib/tmpfiles.d/x.conf": "x\n",
	} {
		write(t, filepath.Join(tree, name), text)
	}
	if err := os.Symlink("program", filepath.Join(tree, "usr/bin/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(tree, "usr/bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	third := r.commit(tree, "--parent="+r.head)
	repo := repository{r.dir}
	one, err := repo.commit(r.head)
	if err != nil {
		t.Fatal(err)
	}
	two, err := repo.commit(third)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := differences(repo, one.Tree, repo, two.Tree)
	if want := []string{"usr/bin", "usr/etc/built-at", "usr/lib", "usr/share/doc", "usr/share/factory"}; err != nil || !slices.Equal(paths, want) {
		t.Errorf("these differ: %v, error %v; want %v", paths, err, want)
	}
	if paths, err := differences(repo, one.Tree, repo, one.Tree); len(paths) > 0 || err != nil {
		t.Errorf("a tree differs from itself: %v, error %v", paths, err)
	}

	layers := []Layer{{"rootfs/bootstrap", t.TempDir()}, {"rootfs/exec.config/when", t.TempDir()}, {"commit/tree", t.TempDir()}}
	for i, names := range [][]string{
		{"etc/built-at", "etc/passwd", "usr/bin/program", "var/lib/dpkg/status"},
		{"etc/built-at", "root/note", "usr/bin/link"},
		{"usr/etc/built-at", "usr/etc/passwd", "usr/lib/tmpfiles.d/x.conf", "usr/lib/sysimage/dpkg/status", "usr/share/factory/var/roothome/note"},
	} {
		for _, name := range names {
			write(t, filepath.Join(layers[i].Dir, name), "x")
		}
	}
	said := attribute(layers, []string{
		"usr/bin/gone", "usr/etc/built-at", "usr/etc/passwd", "usr/bin/program", "usr/lib/sysimage/dpkg/status", "usr/bin/link",
		"usr/lib/tmpfiles.d/x.conf", "usr/share/factory/var/roothome/note", "usr/etc",
	})
	want := []string{
		"rootfs/bootstrap (/etc/passwd, /usr/bin/program, /usr/lib/sysimage/dpkg/status)",
		"rootfs/exec.config/when (/etc/built-at, /usr/bin/link, /root/note)",
		"commit/tree (/usr/lib/tmpfiles.d/x.conf, /usr/etc)",
		"no step (/usr/bin/gone)",
	}
	if !slices.Equal(said, want) {
		t.Errorf("said is\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if said := attribute(layers, []string{"etc/a", "etc/b", "etc/c", "etc/d"}); !slices.Equal(said, []string{"no step (/etc/a, /etc/b, /etc/c and 1 more)"}) {
		t.Errorf("of many: %v", said)
	}
}
