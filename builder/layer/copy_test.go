package layer

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCopy(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	// A hole at the beginning, one in the middle, one at the end.
	const size = 64 << 20
	block := bytes.Repeat([]byte("treewright"), 1000)
	for _, at := range []int64{1 << 20, 40 << 20} {
		if _, err := f.WriteAt(block, at); err != nil {
			t.Fatal(err)
		}
	}
	made := time.Unix(1700000000, 123456789)
	for _, err := range []error{f.Truncate(size), f.Chmod(0o640), f.Close(), os.Chtimes(from, made, made)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := Copy(from, to); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the copy has other bytes")
	}
	var a, b unix.Stat_t
	if err := unix.Lstat(from, &a); err != nil {
		t.Fatal(err)
	}
	if err := unix.Lstat(to, &b); err != nil {
		t.Fatal(err)
	}
	if a.Mode != b.Mode || a.Mtim != b.Mtim {
		t.Errorf("mode %o, time %v; want %o, %v", b.Mode, b.Mtim, a.Mode, a.Mtim)
	}
	if a.Ino == b.Ino {
		t.Error("the copy is the file itself")
	}
	if b.Blocks > a.Blocks+16 {
		t.Errorf("the copy takes %d blocks, the file %d: holes were filled", b.Blocks, a.Blocks)
	}
	if err := Copy(from, to); !os.IsExist(err) {
		t.Errorf("a file that is there: error %v", err)
	}
	if err := Copy(dir, to+"2"); err == nil {
		t.Error("a directory was copied")
	}
}
