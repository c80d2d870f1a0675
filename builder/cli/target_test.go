package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHideFolders: what is built in a tree leaves the tree as it was for git.
func TestHideFolders(t *testing.T) {
	tree, elsewhere := t.TempDir(), t.TempDir()
	own := filepath.Join(tree, ".build", ".gitignore")
	if err := os.Mkdir(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &command{options: options{dir: tree}}
	for range 2 {
		if err := c.hideFolders(filepath.Join(tree, ".cache"), filepath.Dir(own), elsewhere, tree); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		filepath.Join(tree, ".cache", ".gitignore"): "*\n", own: "mine\n",
		filepath.Join(elsewhere, ".gitignore"): "", filepath.Join(tree, ".gitignore"): "",
	} {
		got, err := os.ReadFile(file)
		if string(got) != want || err != nil && want != "" {
			t.Errorf("%s holds %q, %v", file, got, err)
		}
	}
}
