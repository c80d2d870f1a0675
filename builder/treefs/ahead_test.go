package treefs

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// TestAhead: a tree that was read ahead answers as the tree itself does, to all that can be
// asked of a name, also of names that are not there.
func TestAhead(t *testing.T) {
	dir := treetest.Lay(t, t.TempDir(), "features/a/info.yaml", "features/a/exec.config@0755", "features/a/empty/", "features/a/b/c/d/file",
		"features/link -> a", "features/a/file -> info.yaml", "features/out -> /etc", "features/lost -> nothing", "features/.hidden", "other/x", "flavours -> other", "accounts")
	for name, size := range map[string]int{"features/a/large": aheadFile + 1, "features/a/fits": aheadFile, "features/a/nothing": 0} {
		if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte("x"), size), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(dir, "features/a/fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "features/a/empty"), 0o3777|fs.ModeSetgid|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	names := []string{".", "accounts", "missing", "features/missing", "features/a/info.yaml/below", "features/link/info.yaml", "features/../accounts", "features/", "/features", "other/x", "flavours/x"}
	err := fs.WalkDir(New(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tree, ahead := New(dir), New(dir).Ahead("features", "flavours", "none")
	if n := ahead.find("features/a/b/c/d/file"); n == nil || !n.read {
		t.Fatal("nothing was read ahead")
	}
	for _, name := range names {
		if want, got := answers(tree, name), answers(ahead, name); !slices.Equal(want, got) {
			t.Errorf("%s: the tree answers\n%s\nread ahead it answers\n%s", name, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
		if tree.Last() != ahead.Last() {
			t.Errorf("%s: the last name of the tree is %s, read ahead %s", name, tree.Last(), ahead.Last())
		}
	}
	if tree.names.Load() != ahead.names.Load() {
		t.Errorf("the tree counts %d names, read ahead %d", tree.names.Load(), ahead.names.Load())
	}
}

// answers are all that a tree answers to a name, as text.
func answers(tree fs.FS, name string) []string {
	info := func(i fs.FileInfo, err error) string {
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(i.Name(), i.Size(), i.Mode(), i.ModTime().UnixNano(), i.IsDir())
	}
	out := []string{info(fs.Stat(tree, name)), info(fs.Lstat(tree, name))}
	text, err := fs.ReadFile(tree, name)
	out = append(out, fmt.Sprintf("%d %.40s %v", len(text), text, err))
	target, err := fs.ReadLink(tree, name)
	out = append(out, fmt.Sprint(target, err))
	entries, err := fs.ReadDir(tree, name)
	out = append(out, fmt.Sprint(err))
	for _, e := range entries {
		out = append(out, fmt.Sprint(e.Name(), e.IsDir(), e.Type(), info(e.Info())))
	}
	return out
}

// TestAheadOfMuch: files beyond the bounds of reading ahead are read when they are asked for.
func TestAheadOfMuch(t *testing.T) {
	dir := t.TempDir()
	deep := "features" + strings.Repeat("/d", aheadDepth+5)
	treetest.Lay(t, dir, deep+"/file")
	ahead := New(dir).Ahead("features")
	if ahead.find(deep) != nil {
		t.Errorf("%s was read ahead", deep)
	}
	if text, err := fs.ReadFile(ahead, deep+"/file"); err != nil || string(text) != deep+"/file" {
		t.Errorf("the file has %q (%v)", text, err)
	}
}
