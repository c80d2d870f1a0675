package debian

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

// TestConfigureWhileRead: several questions are asked at once, and each one
// configures apt first. None may find half a file.
func TestConfigureWhileRead(t *testing.T) {
	dir := t.TempDir()
	a := &Archive{Arch: "amd64", Source: distro.Source{URL: "http://deb.debian.org/debian", Suite: "testing", Components: []string{"main"}}}
	if err := a.configure(dir, dir, "/k.gpg"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if err := a.configure(dir, dir, "/k.gpg"); err != nil {
					t.Error(err)
				}
				for name, end := range map[string]string{"sources.list": "testing main\n", "apt.conf": ";\n"} {
					if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasSuffix(string(text), end) {
						t.Errorf("%s holds %q, error %v", name, text, err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%d files are left, error %v", len(left), err)
	}
}

// TestConfigurationIsPrivate: it has the passwords of mirrors and proxies.
func TestConfigurationIsPrivate(t *testing.T) {
	dir := t.TempDir()
	a := &Archive{Arch: "amd64", Source: distro.Source{URL: "http://user:secret@mirror/debian", Suite: "testing", Components: []string{"main"}}}
	for range 2 {
		if err := a.configure(dir, dir, "/k.gpg"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"sources.list", "apt.conf"} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
			// As an earlier version left it.
			if err := os.Chmod(filepath.Join(dir, name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
