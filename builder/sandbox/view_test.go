package sandbox

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestRootShownBelowWritable: a file that is shown keeps its content although it is in a directory
// that can be written to, and cannot be written to itself.
func TestRootShownBelowWritable(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "index")
	if err := os.WriteFile(file, []byte("content\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	view := &View{Shown: append([]string{file}, Programs...), Writable: []string{dir}}
	script := `cat "$0"; echo other 2>/dev/null >"$0" || echo kept; echo new >"$0.new"`
	out, err := Command{Argv: []string{"sh", "-c", script, file}, View: view}.Output(context.Background())
	if err != nil || string(out) != "content\nkept\n" {
		t.Errorf("a program in the view prints %q, error %v", out, err)
	}
	if text, err := os.ReadFile(file); string(text) != "content\n" || err != nil {
		t.Errorf("the file has %q, error %v", text, err)
	}
	if text, err := os.ReadFile(file + ".new"); string(text) != "new\n" || err != nil {
		t.Errorf("the new file has %q, error %v", text, err)
	}
}
