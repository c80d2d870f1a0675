package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Each place that a commit empties, or that is a link there.
func TestPlaces(t *testing.T) {
	wrong := map[string]string{
		"boot/loader/x": "belongs to the boot loader", "efi/x": "EFI system partition", "tmp/x": "usr/lib/tmpfiles.d", "run/a/x": "made again at each boot",
		"var/run/x": "link to /run.", "var/lock/x": "link to /run/lock", "dev/x": "mounted by the kernel", "proc/x": "kernel", "sys/x": "kernel",
		"sysroot/x": "OSTree", "ostree/x": "OSTree", "media/x": "/mnt or /srv", "usr/etc/x": "put it in /etc", "usr/share/factory/var/lib/x": "put it in /var",
		"usr/lib/base/x": "package database", "var/lib/base/info/x.list": "programs that install packages may write", "usr/lib/tmpfiles.d/00-treewright-var.conf": "Treewright makes it",
		"usr/lib/tmpfiles.d/00-treewright-first-1.conf": "Treewright makes it",
		"vmlinuz": "kernels", "initrd.img.old": "kernels", "etc/passwd-": "left out", "etc/group": "add accounts", "etc/.pwd.lock": "left out", "home": "link in a commit", "usr/local": "link in a commit",
	}
	right := []string{
		"etc/x", "usr/lib/x", "opt/x/y", "srv/x", "usr/local/bin/x", "root/.bashrc", "home/a/x", "mnt/x", "var/x", "var/lib/flatpak/x", "var/cache/x/y",
		"var/log/x", "var/tmp/x", "var/backups/x", "bootx", "runner/x", "usr/share/factory/etc/x", "usr/lib/tmpfiles.d/x.conf", "var/running", "var/lib/basex/y", "var/lib/dpkg/x", "new/x",
	}
	load := func(name, kind string) (string, []string) {
		files := fstest.MapFS{
			"features/f/info.yaml":            {Data: []byte("description: x\ntype: " + kind + "\n")},
			"features/f/file.include/" + name: {Data: []byte("x")},
		}
		_, diags := Load(files, Options{Places: DatabasePlaces("var/lib/base", "usr/lib/base")})
		var all []string
		for _, d := range diags {
			if d.Subject.Filename != "features/f/file.include/"+name {
				t.Errorf("%s: reported at %s", name, d.Subject.Filename)
			}
			all = append(all, d.Summary+": "+d.Detail)
		}
		return strings.Join(all, "\n"), all
	}
	for name, why := range wrong {
		text, all := load(name, "element")
		if len(all) != 1 || !strings.Contains(text, why) || !strings.Contains(text, `Feature "f" contains /`+name+". ") {
			t.Errorf("%s: %q, want one fault with %q", name, text, why)
		}
		// What an extension leaves out gets where it is made.
		if text, _ := load(name, "extension"); text != "" {
			t.Errorf("%s in an extension: %s", name, text)
		}
	}
	for _, name := range right {
		if text, _ := load(name, "element"); text != "" {
			t.Errorf("%s: %s", name, text)
		}
	}
}
