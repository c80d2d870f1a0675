package treetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright"
)

// Shipped writes the configuration tree that is shipped into a new directory: tests of
// it do not read what somebody has added to this repository's.
func Shipped(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shipped")
	if err := os.CopyFS(dir, treewright.Tree()); err != nil {
		t.Fatal(err)
	}
	return dir
}
