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

// TestTargetsMirrorHasNoPassword: its address goes into the system.
func TestTargetsMirrorHasNoPassword(t *testing.T) {
	tree := t.TempDir()
	for name, content := range map[string]string{"features/kvm/info.yaml": "description: a platform\ntype: platform\n", "features/kvm/image.raw": "#!/bin/sh\n", "k.gpg": ""} {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := &command{options: options{dir: tree, mirror: "http://user:secret@mirror/debian/", keyring: filepath.Join(tree, "k.gpg")}}
	project, err := c.load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.subject(t.Context(), project, "kvm-amd64-testing")
	if err != nil {
		t.Fatal(err)
	}
	if s.tree.Mirror != "http://mirror/debian" {
		t.Errorf("the system's sources name %s", s.tree.Mirror)
	}
	if got := s.spec.Flavour.Distribution.Mirror; got != "http://user:secret@mirror/debian" {
		t.Errorf("packages are fetched from %s", got)
	}
}
