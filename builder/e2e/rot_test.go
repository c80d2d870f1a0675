//go:build e2e

package e2e

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rotting is the minimal flavour with an extension that is made in no time.
var rotting = strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "sysext-note"]`, 1)

// TestRot changes what is in the cache and in the output, as disks, people and
// programs do, and builds on.
func TestRot(t *testing.T) {
	t.Parallel()
	p := sharing(t, rotting)
	note := func(text string) { p.write("features/sysext-note/file.include/usr/share/note", text) }
	p.write("features/sysext-note/info.yaml", "type: extension\nfeatures:\n  include: [base]\n")
	note("one\n")
	first := p.build()
	// Others go on with the shared cache as it is.
	p.ownCache()
	building := func(what string, wants ...string) manifest {
		t.Helper()
		out, code := p.treewright(nil, "--progress", "plain", flavourName)
		if code != 0 {
			t.Fatalf("%s: exit %d:\n%s", what, code, out)
		}
		for _, w := range wants {
			if !strings.Contains(out, w) {
				t.Errorf("%s: nothing says %q:\n%s", what, w, out)
			}
		}
		if len(wants) == 0 && strings.Contains(out, "damaged") {
			t.Errorf("%s: damage is found where there is none:\n%s", what, out)
		}
		return p.manifest()
	}
	data := func(m manifest, step string) string {
		for _, s := range m.Steps {
			if s.ID == step {
				return filepath.Join(p.cache, "store/results", s.Key, "data")
			}
		}
		t.Fatalf("no step %s", step)
		return ""
	}

	t.Run("a copied cache is as good", func(t *testing.T) {
		p.t = t
		if again := building("copied"); len(again.ran()) != 0 {
			t.Errorf("ran %v", again.ran())
		}
		note("two\n")
		if again := building("copied, and a change"); !onlyExtension(again.ran()) {
			t.Errorf("ran %v", again.ran())
		}
	})

	t.Run("edited artifacts", func(t *testing.T) {
		p.t = t
		want := building("before").sums()
		appendTo(t, p.output("note.raw"), "x")
		appendTo(t, p.output("note/usr/share/note"), "x")
		if out, err := exec.Command("chown", "-R", "1000:1000", p.output("note"), p.output("note.raw")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		again := building("edited", "note.raw belongs to 1000:1000", "note belongs to 1000:1000", "it was replaced by the built one")
		if len(again.ran()) != 0 {
			t.Errorf("ran %v", again.ran())
		}
		for name, sum := range want {
			if got := hashOf(t, p.output(name)); got != sum {
				t.Errorf("%s has the SHA-256 %s, not %s", name, got, sum)
			}
		}
		if text := p.read(p.output("note/usr/share/note")); text != "two\n" {
			t.Errorf("the directory holds %q", text)
		}
		appendTo(t, p.output("note/usr/share/note"), "x")
		note("three\n")
		building("edited, and a change", "note/usr/share/note has 5 bytes, not 4")
		if text := p.read(p.output("note/usr/share/note")); text != "three\n" {
			t.Errorf("the directory holds %q", text)
		}
	})

	t.Run("a flipped byte in a layer", func(t *testing.T) {
		p.t = t
		m := p.manifest()
		file := filepath.Join(data(m, "rootfs/bootstrap"), "usr/share/common-licenses/GPL-3")
		want := p.read(file)
		flipKeepingTimes(t, file)
		if again := building("nothing to do"); len(again.ran()) != 0 {
			t.Errorf("ran %v", again.ran())
		}
		note("four\n")
		again := building("a layer is damaged", "the result of rootfs/bootstrap in the cache is damaged: "+file+" has other content")
		if ran := again.ran(); !slices.Contains(ran, "rootfs/bootstrap") || slices.Contains(ran, "rootfs/install-system") || slices.Contains(ran, "commit/commit") {
			t.Errorf("ran %v", ran)
		}
		if p.read(file) != want {
			t.Error("the layer is not made again")
		}
	})

	t.Run("a flipped byte in a package", func(t *testing.T) {
		p.t = t
		m := p.manifest()
		debs, err := filepath.Glob(filepath.Join(data(m, "packages/base"), "pool/dpkg_*.deb"))
		if err != nil || len(debs) != 1 {
			t.Fatalf("%v, error %v", debs, err)
		}
		sum := hashOf(t, debs[0])
		flipKeepingTimes(t, debs[0]) // the download in the cache is the same file
		// So that packages are installed from it.
		if err := os.Remove(filepath.Join(data(m, "rootfs/bootstrap"), "usr/share/common-licenses/GPL-3")); err != nil {
			t.Fatal(err)
		}
		note("five\n")
		again := building("a package is damaged", "the result of packages/base in the cache is damaged: "+debs[0]+" has other content", "the result of rootfs/bootstrap in the cache is damaged")
		if ran := again.ran(); !slices.Contains(ran, "packages/base") || !slices.Contains(ran, "rootfs/bootstrap") {
			t.Errorf("ran %v", ran)
		}
		if got := hashOf(t, debs[0]); got != sum {
			t.Errorf("the package has the SHA-256 %s, not %s", got, sum)
		}
	})

	t.Run("cache verify", func(t *testing.T) {
		p.t = t
		if out, code := p.treewright(nil, "cache", "verify"); code != 0 || !strings.Contains(out, "nothing is damaged") {
			t.Errorf("exit %d: %s", code, out)
		}
		m := p.manifest()
		file := filepath.Join(data(m, "rootfs/bootstrap"), "usr/share/common-licenses/GPL-3")
		flipKeepingTimes(t, file)
		if out, code := p.treewright(nil, "cache", "verify"); code != 1 || !strings.Contains(out, "damaged: "+file+" has other content") {
			t.Errorf("exit %d: %s", code, out)
		}
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still there, error %v", err)
		}
		if out, code := p.treewright(nil, "cache", "verify"); code != 0 {
			t.Errorf("exit %d: %s", code, out)
		}
		if last := building("after all"); last.Commit != first.Commit {
			t.Errorf("the commit is %s, not %s", last.Commit, first.Commit)
		}
	})
	p.t = t
}

// onlyExtension reports whether steps are those that make an extension.
func onlyExtension(ids []string) bool {
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !strings.HasPrefix(id, "extension/") })
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// flipKeepingTimes changes a bit in the middle of a file, and puts its times back.
func flipKeepingTimes(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, info.Size()/2)
	b[0] ^= 1
	_, werr := f.WriteAt(b, info.Size()/2)
	if err := errors.Join(err, werr, f.Close(), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
		t.Fatal(err)
	}
}
