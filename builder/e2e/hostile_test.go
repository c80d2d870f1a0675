//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hostile is a script of a feature that tries to reach the host, whose
// directory with a secret is put in for HOST. What works it notes in the tree.
const hostile = `#!/bin/bash
tree=${1-}
case $tree in /treewright/tree) ;; *) tree=;; esac
exec 2>/dev/null
worked() { echo "$(basename "$0"): $*" >> "$tree/usr/share/hostile"; }
echo "$(basename "$0") was here" >> "$tree/usr/share/hostile-ran"
for p in /proc/[0-9]*; do
	[ -e "$p/root/HOST/secret" ] && worked "root of another process"
	[ -e "$p/cwd/../../../../../../../../../../HOST/secret" ] && worked "directory of another process"
done
mkdir -p /tmp/inner
chroot /tmp/inner true
perl -e 'chroot "/tmp/inner"; chdir ".." for 1..40; chroot "."; exit(-e "/HOST/secret" ? 0 : 1)' && worked chroot
for setting in kernel/core_pattern kernel/modprobe kernel/hostname vm/drop_caches; do
	if [ -w /proc/sys/$setting ] && cat /proc/sys/$setting > /proc/sys/$setting; then worked "/proc/sys/$setting"; fi
done
: > /proc/sysrq-trigger && worked sysrq-trigger
date -s "$(date)" > /dev/null && worked date
mount -t tmpfs tmpfs /mnt && worked mount
mount -t proc proc /mnt && worked "mount of /proc"
umount -l /proc && worked umount
nsenter -t 1 -m true && worked nsenter
unshare -m true && worked unshare
unshare -Urm true && worked "user namespace"
hostname hostile && worked hostname
dmesg | grep -q . && worked dmesg
for node in "b HOSTMAJOR HOSTMINOR" "c 1 1"; do
	mknod /tmp/node $node && head -c 1 /tmp/node > /dev/null && worked "node $node"
	rm -f /tmp/node
done
chmod 666 /dev/null && worked "mode of /dev/null"
for fd in $(seq 3 60); do
	{ echo '{"done":true,"result":{}}' >&$fd; } && worked "descriptor $fd"
done
[ -e /HOST/secret ] && worked "the host's files"
grep -q . /proc/cmdline /proc/keys /proc/modules && worked "the host's /proc"
exit 0
`

// TestHostileFeature builds a flavour with a feature whose scripts, and a
// package of whose, try to reach the host, and lead the builder there by a link.
func TestHostileFeature(t *testing.T) {
	t.Parallel()
	p := sharing(t, strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "hostile"]`, 1))
	host := t.TempDir()
	if err := os.Mkdir(filepath.Join(host, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"secret", "logs/kept"} {
		if err := os.WriteFile(filepath.Join(host, name), []byte("of-the-host\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var st unix.Stat_t
	if err := unix.Stat("/", &st); err != nil {
		t.Fatal(err)
	}
	script := strings.NewReplacer("/HOST", host, "HOSTMAJOR", fmt.Sprint(unix.Major(st.Dev)), "HOSTMINOR", fmt.Sprint(unix.Minor(st.Dev))).Replace(hostile)
	p.write("features/hostile/info.yaml", "type: element\nfeatures:\n  include: [base]\n")
	// The builder itself empties /var/log/apt when packages have been installed.
	early := strings.Replace(script, "exit 0\n", "rm -rf /var/log/apt\nln -s "+host+"/logs /var/log/apt\nexit 0\n", 1)
	// A package of the feature's own: its script is the same.
	deb := "#!/bin/bash\nset -e\nmkdir -p /tmp/x/DEBIAN\nprintf 'Package: hostile\\nVersion: 1\\nArchitecture: all\\nMaintainer: n <n@example.org>\\nDescription: x\\n' > /tmp/x/DEBIAN/control\n" +
		"cp /builder/features/hostile/script /tmp/x/DEBIAN/postinst\ndpkg-deb --build --root-owner-group /tmp/x /tmp/x.deb\ndpkg --install /tmp/x.deb\n"
	for name, text := range map[string]string{"exec.early": early, "exec.config": script, "exec.late": deb, "exec.post": script, "script": script} {
		p.write("features/hostile/"+name, text)
		if err := os.Chmod(filepath.Join(p.dir, "features/hostile", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := newMachine(t, p, p.output("small-repo-amd64"), p.build().Commit)
	if found, err := os.ReadFile(filepath.Join(m.tree, "usr/share/hostile")); !os.IsNotExist(err) {
		t.Errorf("scripts reached the host, error %v:\n%s", err, found)
	}
	ran, err := os.ReadFile(filepath.Join(m.tree, "usr/share/hostile-ran"))
	for _, who := range []string{"exec.early", "exec.config", "hostile.postinst", "exec.post"} {
		if err != nil || !strings.Contains(string(ran), who+" was here") {
			t.Errorf("%s did not run: %q, error %v", who, ran, err)
		}
	}
	for _, name := range []string{"secret", "logs/kept"} {
		if now, err := os.ReadFile(filepath.Join(host, name)); err != nil || string(now) != "of-the-host\n" {
			t.Errorf("the host's %s holds %q, error %v", name, now, err)
		}
	}
}
