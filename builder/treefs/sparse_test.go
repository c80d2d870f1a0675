package treefs

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestCopySparse(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	content := make([]byte, 300<<10)
	content[200<<10] = 7
	content = append(content, "end"...)
	if err := os.WriteFile(from, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := MakeSparse(to, 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := CopySparse(from, to, 4096); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1<<20 || !bytes.Equal(got[4096:4096+len(content)], content) {
		t.Error("the copy differs")
	}
	if err := MakeSparse(to, 1); err == nil {
		t.Error("a file that is there was taken for a new one")
	}
}
