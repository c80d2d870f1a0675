package treefs

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestLinkTree(t *testing.T) {
	from := t.TempDir()
	for _, err := range []error{
		os.Mkdir(filepath.Join(from, "a"), 0o755), os.WriteFile(filepath.Join(from, "a/b"), []byte("b"), 0o755),
		os.Symlink("b", filepath.Join(from, "a/link")), os.Mkdir(filepath.Join(from, "locked"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "to")
	if err := LinkTree(from, to); err != nil {
		t.Fatal(err)
	}
	a, _ := os.Stat(filepath.Join(from, "a/b"))
	b, err := os.Stat(filepath.Join(to, "a/b"))
	if err != nil || !os.SameFile(a, b) {
		t.Errorf("the file is not a hard link, error %v", err)
	}
	if locked, err := os.Stat(filepath.Join(to, "locked")); err != nil || locked.Mode() != fs.ModeDir|0o700 {
		t.Errorf("locked is %v, error %v", locked, err)
	}
	if target, _ := os.Readlink(filepath.Join(to, "a/link")); target != "b" {
		t.Errorf("the link leads to %q", target)
	}
	if err := LinkTree(from, to); err == nil {
		t.Error("a directory that is there was overwritten")
	}
}
