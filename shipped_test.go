package treewright_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/treetest"
)

// described is what there is of a tree: a line for each file, with its type, whether
// it can be executed, and its content or where it leads to.
func described(t *testing.T, tree fs.FS, names []string) (lines []string) {
	t.Helper()
	for _, name := range names {
		info, err := fs.Lstat(tree, name)
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode().Type() == fs.ModeSymlink {
			target, err := fs.ReadLink(tree, name)
			lines = append(lines, fmt.Sprintf("%s -> %s %v", name, target, err))
			continue
		}
		content, err := fs.ReadFile(tree, name)
		lines = append(lines, fmt.Sprintf("%s %v %q %v", name, info.Mode()&0o100 != 0, content, err))
	}
	return lines
}

func shipped(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(treewright.Tree(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestShippedAsInTheDirectory: what is embedded has the contents, the permissions to
// execute and the links of the files in this directory.
func TestShippedAsInTheDirectory(t *testing.T) {
	names := shipped(t)
	got, want := described(t, treewright.Tree(), names), described(t, os.DirFS("."), names)
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("embedded is\n%s\nand the file is\n%s", got[i], want[i])
		}
	}
	if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "features/_dev/test/") }) {
		t.Error("the flag _dev is not embedded")
	}
}

// TestAllThatGitHasIsShipped: nothing that is committed to features/ and flavours/ is
// left out.
func TestAllThatGitHasIsShipped(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "-z", "features", "flavours").Output()
	if err != nil || len(out) == 0 {
		treetest.Skip(t, "needs a clone: git does not know this directory: %v", err)
	}
	names := shipped(t)
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not shipped: name its directory, or the flavour, in shipped.go", name)
		}
	}
}
