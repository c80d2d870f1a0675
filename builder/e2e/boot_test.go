//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMachine looks at the helper itself: a machine keeps its /var, and of its
// /etc what was changed, over a boot and an upgrade.
func TestMachine(t *testing.T) {
	t.Parallel()
	p := sharing(t, minimal)
	first := p.build()
	m := newMachine(t, p, p.output("small-repo-amd64"), first.Commit)
	t.Log(m.boot())
	m.run("sh", "-c", "echo mine > /var/lib/mine; echo mine > /etc/mine; rm /etc/fstab; echo other > /etc/hostname")
	if out, err := m.try("touch", "/usr/x"); err == nil {
		t.Errorf("/usr can be written to: %s", out)
	}
	if err := os.Remove(filepath.Join(p.dir, "features/base/file.include/etc/ssh/sshd_config.d/30-keys-only.conf")); err != nil {
		t.Fatal(err)
	}
	p.write("features/base/file.include/etc/new", "from the commit\n")
	m.upgrade(p.build().Commit)
	m.boot()
	for file, want := range map[string]string{"/var/lib/mine": "mine", "/etc/mine": "mine", "/etc/hostname": "other", "/etc/new": "from the commit"} {
		if got := m.run("cat", file); got != want {
			t.Errorf("%s holds %q, not %q", file, got, want)
		}
	}
	for _, gone := range []string{"/etc/fstab", "/etc/ssh/sshd_config.d/30-keys-only.conf"} {
		if out, err := m.try("test", "!", "-e", gone); err != nil {
			t.Errorf("%s is there: %v %s", gone, err, out)
		}
	}
}
