package image

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/format"
)

func TestSettle(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, at int64) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Unix(at, 0), time.Unix(at, 0)); err != nil {
			t.Fatal(err)
		}
	}
	write("old", "x", 0)
	write("sub/new", "x", 2000)
	if err := os.Link(filepath.Join(dir, "sub/new"), filepath.Join(dir, "again")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	usage, err := settle(dir, 1000)
	if err != nil {
		t.Fatal(err)
	}
	// Two directories, two files, one of them with two names, and a short link.
	if want := (format.Ext4Usage{Bytes: 4 * 4096, Inodes: 5}); usage != want {
		t.Errorf("got %+v, want %+v", usage, want)
	}
	for name, want := range map[string]int64{"old": 0, "again": 1000, "link": 1000, "sub": 1000, ".": 1000} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.ModTime().Unix(); got != want {
			t.Errorf("%s is from %d, want %d", name, got, want)
		}
	}
}

func TestGrubConfig(t *testing.T) {
	want := "set timeout=-1\nset default=0\nsearch --no-floppy --label ROOT --set=root\nblscfg --path ($root)/boot/loader/entries\n"
	if got := grubConfig(-1, 0); got != want {
		t.Errorf("got\n%s", got)
	}
}
