package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

func TestImportDigest(t *testing.T) {
	entries := []string{"exec.config@0755", "lib/helper", "lib/link -> helper", "pkg.include"}
	sources := Snapshots{Root: t.TempDir()}
	imported := func(edit func(dir string)) string {
		dir := treetest.Lay(t, t.TempDir(), entries...)
		if edit != nil {
			edit(dir)
		}
		src, err := sources.Import("features/x", dir, phaseOf("exec.config"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(src.Digest, "sha256:") || src.Name != "features/x" || !strings.HasPrefix(src.Path, sources.Root+"/") {
			t.Errorf("source %+v", src)
		}
		return src.Digest
	}
	want := imported(nil)
	for name, edit := range map[string]func(string){
		"the content of the script": func(d string) { treetest.Write(t, filepath.Join(d, "exec.config"), "else") },
		"the content of a helper":   func(d string) { treetest.Write(t, filepath.Join(d, "lib/helper"), "else") },
		"a new file":                func(d string) { treetest.Write(t, filepath.Join(d, "new"), "") },
		"a new empty directory":     func(d string) { treetest.Lay(t, d, "directory/") },
		"a name":                    func(d string) { os.Rename(filepath.Join(d, "lib/helper"), filepath.Join(d, "lib/other")) },
		"the bit to execute":        func(d string) { os.Chmod(filepath.Join(d, "lib/helper"), 0o755) },
		"where a link leads": func(d string) {
			os.Remove(filepath.Join(d, "lib/link"))
			os.Symlink("other", filepath.Join(d, "lib/link"))
		},
		"a link that becomes a file": func(d string) {
			os.Remove(filepath.Join(d, "lib/link"))
			treetest.Write(t, filepath.Join(d, "lib/link"), "helper")
		},
	} {
		if imported(edit) == want {
			t.Errorf("%s is not in the digest", name)
		}
	}
	for name, edit := range map[string]func(string){
		"the place":                nil,
		"another phase's file":     func(d string) { treetest.Write(t, filepath.Join(d, "pkg.include"), "else") },
		"another script":           func(d string) { treetest.Write(t, filepath.Join(d, "exec.late"), "else") },
		"the group's permissions":  func(d string) { os.Chmod(filepath.Join(d, "lib/helper"), 0o664) },
		"a private file":           func(d string) { os.Chmod(filepath.Join(d, "lib/helper"), 0o600) },
		"the permissions of a dir": func(d string) { os.Chmod(filepath.Join(d, "lib"), 0o775) },
		"times":                    func(d string) { os.Chtimes(filepath.Join(d, "exec.config"), time.Unix(0, 0), time.Unix(0, 0)) },
	} {
		if imported(edit) != want {
			t.Errorf("%s is in the digest", name)
		}
	}
}

func TestImportIsASnapshot(t *testing.T) {
	dir := treetest.Lay(t, t.TempDir(), "exec.config@0775", "lib/helper@0600", "lib/link -> helper", "file.include/etc/x")
	sources := Snapshots{Root: filepath.Join(t.TempDir(), "new")}
	src, err := sources.Import("features/x", dir, phaseOf("exec.config"))
	if err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(dir, "exec.config"), "edited during the build")
	if got := treetest.Content(t, filepath.Join(src.Path, "exec.config")); got != "exec.config" {
		t.Errorf("the snapshot says %q", got)
	}
	for name, want := range map[string]string{"exec.config": "-rwxr-xr-x", "lib/helper": "-rw-r--r--", "lib": "drwxr-xr-x", "lib/link": "Lrwxrwxrwx", ".": "drwxr-xr-x"} {
		if got := treetest.Mode(t, filepath.Join(src.Path, name)); got != want {
			t.Errorf("%s has mode %s, want %s", name, got, want)
		}
	}
	if treefs.Exists(filepath.Join(src.Path, "file.include")) {
		t.Error("a script sees the files of another phase")
	}
	entries, err := os.ReadDir(sources.Root)
	if err != nil || len(entries) != 1 {
		t.Errorf("in the directory of snapshots: %v, error %v", entries, err)
	}
}

// TestDamagedSnapshot: what the disk made of a snapshot is not used, whichever
// way it got there.
func TestDamagedSnapshot(t *testing.T) {
	var told []string
	sources := Snapshots{Root: filepath.Join(t.TempDir(), "sources"), Damaged: func(path string) { told = append(told, path) }}
	dir := treetest.Lay(t, t.TempDir(), "exec.config@0755", "lib/helper", "lib/link -> helper")
	take := func() string {
		t.Helper()
		src, err := sources.Import("x", dir, everything)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DigestDir(src.Path); err != nil || "sha256:"+got != src.Digest {
			t.Errorf("the snapshot has the digest %s, error %v, want %s", got, err, src.Digest)
		}
		return src.Path
	}
	path := take()
	for name, damage := range map[string]func() error{
		"an empty file":   func() error { return os.Truncate(filepath.Join(path, "exec.config"), 0) },
		"a missing file":  func() error { return os.Remove(filepath.Join(path, "lib/helper")) },
		"one more file":   func() error { return os.WriteFile(filepath.Join(path, "more"), nil, 0o644) },
		"a lost run bit":  func() error { return os.Chmod(filepath.Join(path, "exec.config"), 0o644) },
		"a file in place": func() error { return errors.Join(os.RemoveAll(path), os.WriteFile(path, nil, 0o644)) },
	} {
		told = nil
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if again := take(); again != path || len(told) != 1 || told[0] != path {
			t.Errorf("%s: taken to %s, told of %v", name, again, told)
		}
	}
	told = nil
	if take(); len(told) != 0 {
		t.Errorf("told of %v, which is good", told)
	}
	if got := entriesOf(t, sources.Root); len(got) != 1 {
		t.Errorf("left: %v", got)
	}
}

func entriesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestImportRefuses(t *testing.T) {
	sources := Snapshots{Root: t.TempDir()}
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sources.Import("x", dir, everything); err == nil || !strings.Contains(err.Error(), "fifo: neither file, directory nor link") {
		t.Errorf("error %v", err)
	}
	if _, err := sources.Import("x", filepath.Join(dir, "none"), everything); err == nil {
		t.Error("a directory that is not there can be imported")
	}
}

func TestImportBytes(t *testing.T) {
	sources := Snapshots{Root: t.TempDir()}
	a, err := sources.ImportBytes("index", "Packages", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := sources.ImportBytes("index", "Packages", []byte("two"))
	if err != nil || a.Digest == b.Digest {
		t.Errorf("two contents have one digest, error %v", err)
	}
	if got := treetest.Content(t, filepath.Join(a.Path, "Packages")); got != "one" {
		t.Errorf("the source says %q", got)
	}
}

// TestImportFollowsLinks: a source is what the links lead to of a feature's
// directory, wherever the link is, and editing that changes the digest.
func TestImportFollowsLinks(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(),
		"common/b/info.yaml", "common/b/exec.config@0755", "common/b/lib/helper",
		"shared/files/etc/motd", "shared/files/etc/link -> motd", "shared/script@0755", "shared/text",
		"features/dir/info.yaml", "features/dir/exec.config@0755", "features/dir/lib/helper",
		"features/outside -> ../common/b",
		"features/beside -> dir",
		"features/inside/info.yaml", "features/inside/exec.config -> ../../shared/script",
		"features/inside/file.include -> ../../shared/files", "features/inside/data/deep -> ../../../shared/text",
		"features/inside/data/content -> /etc/passwd", "features/inside/lib -> ../dir/lib",
		"features/inside/exec.late -> exec.config",
	)
	sources := Snapshots{Root: t.TempDir(), Tree: tree}
	imported := func(feature string, pick func(string, bool) bool) (string, string) {
		src, err := sources.Import("features/"+feature, filepath.Join(tree, "features", feature), pick)
		if err != nil {
			t.Fatal(err)
		}
		return src.Digest, src.Path
	}
	for _, c := range []struct{ feature, phase, file, edit string }{
		{"outside", "exec.config", "exec.config", "common/b/exec.config"},
		{"outside", "exec.config", "lib/helper", "common/b/lib/helper"},
		{"beside", "exec.config", "exec.config", "features/dir/exec.config"},
		{"inside", "exec.config", "exec.config", "shared/script"},
		{"inside", "exec.late", "exec.late", "shared/script"},
		{"inside", "exec.config", "data/deep", "shared/text"},
		{"inside", "exec.config", "lib/helper", "features/dir/lib/helper"},
		{"inside", "file.include", "file.include/etc/motd", "shared/files/etc/motd"},
	} {
		pick := phaseOf(c.phase)
		if c.phase == "file.include" {
			pick = Only(c.phase)
		}
		treetest.Write(t, filepath.Join(tree, c.edit), "before")
		before, path := imported(c.feature, pick)
		if got := treetest.Content(t, filepath.Join(path, c.file)); got != "before" {
			t.Errorf("%s of %s says %q", c.file, c.feature, got)
		}
		if mode := treetest.Mode(t, filepath.Join(path, c.file)); mode[0] != '-' {
			t.Errorf("%s of %s has mode %s", c.file, c.feature, mode)
		}
		treetest.Write(t, filepath.Join(tree, c.edit), "after")
		if after, _ := imported(c.feature, pick); after == before {
			t.Errorf("%s: an edit of %s changes no digest", c.feature, c.edit)
		}
	}
	_, path := imported("inside", Only("file.include"))
	if to, err := os.Readlink(filepath.Join(path, "file.include/etc/link")); err != nil || to != "motd" {
		t.Errorf("a link below file.include is content, and is %q, error %v", to, err)
	}
	_, path = imported("inside", phaseOf("exec.config"))
	if to, err := os.Readlink(filepath.Join(path, "data/content")); err != nil || to != "/etc/passwd" {
		t.Errorf("a link among the files of a feature leads to %q, error %v", to, err)
	}
}

func TestImportRefusesLinks(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "features/a/data/round -> ../../a", "features/b/up -> ..", "features/c/out -> /etc/passwd", "features/d/gone -> nothing", "features/e/self -> self")
	for feature, want := range map[string]string{
		"a": "in a circle", "b": "in a circle", "c": "not in this tree", "d": "does not exist", "e": "in a circle",
	} {
		_, err := Snapshots{Root: t.TempDir(), Tree: tree}.Import("x", filepath.Join(tree, "features", feature), everything)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("feature %s: error %v, want %q", feature, err, want)
		}
	}
	// In other people's trees, as the Garden Linux builder has it, such a link is one.
	src, err := Snapshots{Root: t.TempDir(), Tree: tree, Lenient: true}.Import("x", filepath.Join(tree, "features/c"), everything)
	if err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(filepath.Join(src.Path, "out")); err != nil || to != "/etc/passwd" {
		t.Errorf("the link leads to %q, error %v", to, err)
	}
}

func everything(string, bool) bool { return true }

// phaseOf chooses a script and what belongs to no other phase.
func phaseOf(script string) func(string, bool) bool {
	return func(rel string, _ bool) bool {
		top, _, _ := strings.Cut(rel, "/")
		return top == script || top != "pkg.include" && top != "file.include" && top != "info.yaml" && !strings.HasPrefix(top, "exec.")
	}
}
