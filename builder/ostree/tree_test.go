package ostree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestTree reads a commit of the program ostree without checking it out.
func TestTree(t *testing.T) {
	r := makeReal(t)
	repo := Repository{dir: r.dir}
	c, err := ReadCommit(repo, r.head)
	if err != nil {
		t.Fatal(err)
	}
	tree := TreeOf(repo, c)
	if names, err := tree.Names("usr/etc"); err != nil || !slices.Equal(names, []string{"built-at", "group", "passwd"}) {
		t.Errorf("/usr/etc has %q, %v", names, err)
	}
	if names, err := tree.Names("usr/nowhere"); err != nil || names != nil {
		t.Errorf("/usr/nowhere has %q, %v", names, err)
	}
	link, err := tree.Lookup("/usr/bin/link")
	if err != nil || link.Dir {
		t.Fatal(link, err)
	}
	if h, err := tree.Stat(link); err != nil || !h.Link() || h.Target != "program" {
		t.Errorf("the link is %+v, %v", h, err)
	}
	if text, err := tree.ReadFile("usr/bin/link", 1<<20); err != nil || string(text) != strings.Repeat("program ", 1000) {
		t.Errorf("what the link leads to has %d bytes, %v", len(text), err)
	}
	if _, err := tree.ReadFile("usr/bin/link", 10); err == nil || !strings.Contains(err.Error(), "more than 10 bytes") {
		t.Errorf("a limit: %v", err)
	}
	dir, err := tree.Lookup("usr/bin")
	if err != nil {
		t.Fatal(err)
	}
	if h, err := tree.Stat(dir); err != nil || h.Mode != 0o40755 {
		t.Errorf("/usr/bin is %+v, %v", h, err)
	}
	for _, name := range []string{"usr/bin/none", "usr/bin/program/below", "none/x"} {
		if _, err := tree.ReadFile(name, 100); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := tree.Lookup(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("look up %s: %v", name, err)
		}
	}
	if _, err := tree.ReadFile("usr/bin", 100); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
}

// TestTreeOfDamagedRepository: a file whose object is missing is in the tree all the same.
func TestTreeOfDamagedRepository(t *testing.T) {
	r := makeReal(t)
	repo := Repository{dir: r.dir}
	c, err := repo.Commit(r.head)
	if err != nil {
		t.Fatal(err)
	}
	tree := TreeOf(repo, c)
	dir, err := tree.Lookup("usr/bin")
	if err != nil {
		t.Fatal(err)
	}
	file, err := tree.Lookup("usr/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, lost := range []string{object(dir.Sum, "dirtree"), object(file.Sum, "filez")} {
		if err := os.Remove(filepath.Join(r.dir, lost)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"usr/bin/program", "usr/etc/passwd"} {
		if _, err := tree.ReadFile(name, 1<<20); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tree.Lookup("usr/bin/program"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("look up: %v", err)
	}
}

// TestCompareWhole lists what is in directories that only one tree has, and a file that
// takes the place of a directory.
func TestCompareWhole(t *testing.T) {
	r := makeReal(t)
	dir := t.TempDir()
	treetest.Write(t, filepath.Join(dir, "usr/share/doc"), "a file now\n")
	treetest.Write(t, filepath.Join(dir, "usr/bin/program"), strings.Repeat("program ", 1000))
	treetest.Write(t, filepath.Join(dir, "usr/lib/new/deep/file"), "x\n")
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	third := r.commit(dir, "--parent="+r.head)
	repo := Repository{dir: r.dir}
	trees := map[string]Tree{}
	for _, sum := range []string{r.head, third} {
		c, err := repo.Commit(sum)
		if err != nil {
			t.Fatal(err)
		}
		trees[sum] = TreeOf(repo, c)
	}
	changes, err := Compare(trees[r.head], trees[third])
	var got []string
	for _, c := range changes {
		mark := "!"
		if c.Before == nil {
			mark = "+"
		} else if c.After == nil {
			mark = "-"
		}
		got = append(got, mark+c.Path)
	}
	want := []string{"+loop", "-usr/bin/link", "-usr/etc", "-usr/etc/built-at", "-usr/etc/group", "-usr/etc/passwd",
		"+usr/lib", "+usr/lib/new", "+usr/lib/new/deep", "+usr/lib/new/deep/file", "!usr/share/doc", "-usr/share/doc/readme"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	if _, err := trees[third].ReadFile("loop", 10); err == nil || !strings.Contains(err.Error(), "too many links") {
		t.Errorf("a loop: %v", err)
	}
}
