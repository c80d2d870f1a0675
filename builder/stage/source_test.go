package stage

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestImportDigest(t *testing.T) {
	entries := []string{"exec.config@0755", "lib/helper", "link -> lib", "pkg.include"}
	sources := Sources{Root: t.TempDir()}
	imported := func(edit func(dir string)) string {
		dir := lay(t, t.TempDir(), entries...)
		if edit != nil {
			edit(dir)
		}
		src, err := sources.Import("features/x", dir, pickScript("exec.config"))
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
		"the content of the script": func(d string) { write(t, filepath.Join(d, "exec.config"), "else") },
		"the content of a helper":   func(d string) { write(t, filepath.Join(d, "lib/helper"), "else") },
		"a new file":                func(d string) { write(t, filepath.Join(d, "new"), "") },
		"a new empty folder":        func(d string) { lay(t, d, "folder/") },
		"a name":                    func(d string) { os.Rename(filepath.Join(d, "lib/helper"), filepath.Join(d, "lib/other")) },
		"the bit to execute":        func(d string) { os.Chmod(filepath.Join(d, "lib/helper"), 0o755) },
		"where a link leads": func(d string) {
			os.Remove(filepath.Join(d, "link"))
			os.Symlink("other", filepath.Join(d, "link"))
		},
		"a link that becomes a file": func(d string) {
			os.Remove(filepath.Join(d, "link"))
			write(t, filepath.Join(d, "link"), "lib")
		},
	} {
		if imported(edit) == want {
			t.Errorf("%s is not in the digest", name)
		}
	}
	for name, edit := range map[string]func(string){
		"the place":                nil,
		"another phase's file":     func(d string) { write(t, filepath.Join(d, "pkg.include"), "else") },
		"another script":           func(d string) { write(t, filepath.Join(d, "exec.late"), "else") },
		"the group's permissions":  func(d string) { os.Chmod(filepath.Join(d, "lib/helper"), 0o664) },
		"a private file":           func(d string) { os.Chmod(filepath.Join(d, "lib/helper"), 0o600) },
		"the permissions of a dir": func(d string) { os.Chmod(filepath.Join(d, "lib"), 0o775) },
		"times":                    func(d string) { os.Chtimes(filepath.Join(d, "exec.config"), packedTime, packedTime) },
	} {
		if imported(edit) != want {
			t.Errorf("%s is in the digest", name)
		}
	}
}

func TestImportIsASnapshot(t *testing.T) {
	dir := lay(t, t.TempDir(), "exec.config@0775", "lib/helper@0600", "link -> lib", "file.include/etc/x")
	sources := Sources{Root: filepath.Join(t.TempDir(), "new")}
	src, err := sources.Import("features/x", dir, pickScript("exec.config"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "exec.config"), "edited during the build")
	if got := contentOf(t, filepath.Join(src.Path, "exec.config")); got != "exec.config" {
		t.Errorf("the snapshot says %q", got)
	}
	for name, want := range map[string]string{"exec.config": "-rwxr-xr-x", "lib/helper": "-rw-r--r--", "lib": "drwxr-xr-x", "link": "Lrwxrwxrwx", ".": "drwxr-xr-x"} {
		if got := modeOf(t, filepath.Join(src.Path, name)); got != want {
			t.Errorf("%s has mode %s, want %s", name, got, want)
		}
	}
	if exists(filepath.Join(src.Path, "file.include")) {
		t.Error("a script sees the files of another phase")
	}
	entries, err := os.ReadDir(sources.Root)
	if err != nil || len(entries) != 1 {
		t.Errorf("in the folder of snapshots: %v, error %v", entries, err)
	}
}

func TestImportRefuses(t *testing.T) {
	sources := Sources{Root: t.TempDir()}
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sources.Import("x", dir, everything); err == nil || !strings.Contains(err.Error(), "fifo: neither file, folder nor link") {
		t.Errorf("error %v", err)
	}
	if _, err := sources.Import("x", filepath.Join(dir, "none"), everything); err == nil {
		t.Error("a folder that is not there can be imported")
	}
}

func TestImportBytes(t *testing.T) {
	sources := Sources{Root: t.TempDir()}
	a, err := sources.ImportBytes("index", "Packages", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := sources.ImportBytes("index", "Packages", []byte("two"))
	if err != nil || a.Digest == b.Digest {
		t.Errorf("two contents have one digest, error %v", err)
	}
	if got := contentOf(t, filepath.Join(a.Path, "Packages")); got != "one" {
		t.Errorf("the source says %q", got)
	}
}
