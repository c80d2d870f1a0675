package build

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHideDirectories: what is built in a tree leaves the tree as it was for git.
func TestHideDirectories(t *testing.T) {
	tree, elsewhere := t.TempDir(), t.TempDir()
	own := filepath.Join(tree, ".build", ".gitignore")
	if err := os.Mkdir(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := &Builder{options: Options{Tree: tree}}
	for range 2 {
		if err := b.hideDirectories(filepath.Join(tree, ".cache"), filepath.Dir(own), elsewhere, tree); err != nil {
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
