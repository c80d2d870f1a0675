package cli

import (
	"os"
	"path/filepath"
	"strings"
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

// TestTreesProgramsReachNothing has a tree whose programs want to reach this
// machine, and that must still know its own files.
func TestTreesProgramsReachNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for four seconds until a program without an end is ended")
	}
	tree, host := t.TempDir(), t.TempDir()
	t.Setenv("SECRET_OF_THE_HOST", "of-the-host")
	secret := filepath.Join(host, "secret")
	for path, content := range map[string]string{
		secret: "of-the-host", filepath.Join(tree, "own"): "of-the-tree", filepath.Join(tree, ".cache/secret"): "of-the-host",
		filepath.Join(tree, "get_version"): `#!/bin/bash
{ touch "$1" made ` + host + `/made /usr/made; } 2>/dev/null && echo -n wrote-
exec 2>/dev/null
cat own ` + secret + ` .cache/secret /etc/shadow /proc/1/root` + secret + `
cat /proc/[0-9]*/environ | grep -a -o of-the-host
echo -n "$SECRET_OF_THE_HOST"; ls /home /root; exit 0
`,
		filepath.Join(tree, "get_commit"): "#!/bin/sh\nsleep 1000\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := &treeSettings{dir: tree, hidden: []string{filepath.Join(tree, ".cache"), filepath.Join(tree, ".build")}}
	v, err := s.version(t.Context())
	if err != nil || v != "of-the-tree" {
		t.Errorf("the version is %q, error %v", v, err)
	}
	for _, made := range []string{filepath.Join(tree, "made"), filepath.Join(host, "made"), "/usr/made"} {
		if os.Remove(made) == nil {
			t.Errorf("%s was made", made)
		}
	}
	if _, err := s.ask(t.Context(), "get_commit", ""); err == nil || !strings.Contains(err.Error(), "get_commit: ./get_commit: not done after") {
		t.Errorf("a program without an end: %v", err)
	}
	s.look = true
	if v, err := s.version(t.Context()); err != nil || v != defaultVersion {
		t.Errorf("if nothing is to be run the version is %q, error %v", v, err)
	}
}
