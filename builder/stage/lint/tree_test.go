package lint

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/treetest"
)

// dpkg is the package database that the trees of the tests have.
var dpkg = debian.Family{}.Database()

// goodTree is a tree that lint finds nothing wrong with.
func goodTree(t *testing.T) string {
	t.Helper()
	entries := []string{
		"var/", "boot/", "usr/lib/modules/7.2/vmlinuz", "usr/lib/modules/7.2/initramfs.img",
		"usr/lib/ostree/prepare-root.conf", "usr/lib/ostree/ostree-prepare-root", "usr/lib/os-release", "usr/lib/systemd/systemd",
		"usr/lib/sysimage/dpkg/status", "usr/lib/tmpfiles.d/00-treewright-var.conf", "usr/etc/ssh/sshd_config",
	}
	for _, l := range machine.TopLinks {
		entries = append(entries, l.Name+" -> "+l.Target)
	}
	entries = append(entries, "usr/etc/os-release -> ../usr/lib/os-release")
	tree := treetest.Lay(t, t.TempDir(), entries...)
	treetest.Write(t, filepath.Join(tree, "usr/etc/shadow"), "root:*:1::::::\nuser:!:1::::::\nlocked:!*:1:\n")
	if err := os.Chmod(filepath.Join(tree, "usr/etc/shadow"), 0o640); err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(tree, "usr/etc/machine-id"), "")
	treetest.Write(t, filepath.Join(tree, "usr/lib/os-release"), "ID=debian\n")
	return tree
}

func TestLint(t *testing.T) {
	if err := Tree(goodTree(t), dpkg, nil, nil); err != nil {
		t.Fatalf("a good tree: %v", err)
	}
	remove := func(name string) func(string) {
		return func(tree string) { os.RemoveAll(filepath.Join(tree, name)) }
	}
	text := func(name, content string) func(string) {
		return func(tree string) { treetest.Write(t, filepath.Join(tree, name), content) }
	}
	own := func(content string) func(string) {
		return func(tree string) { remove("usr/etc/os-release")(tree); text("usr/etc/os-release", content)(tree) }
	}
	for want, spoil := range map[string]func(string){
		"there are 0 kernels": remove("usr/lib/modules/7.2"),
		"there are 2 kernels": func(tree string) {
			treetest.Lay(t, tree, "usr/lib/modules/8.0/vmlinuz", "usr/lib/modules/8.0/initramfs.img")
		},
		"the kernel 7.2 has no initramfs.img": remove("usr/lib/modules/7.2/initramfs.img"),
		"/home is not a link to var/home":     remove("home"),
		"/opt is not a link to var/opt": func(tree string) {
			os.Remove(filepath.Join(tree, "opt"))
			os.Symlink("elsewhere", filepath.Join(tree, "opt"))
		},
		"/var is not an empty directory":                                    text("var/x", "x"),
		"/boot is not an empty directory":                                   remove("boot"),
		"/etc exists beside /usr/etc":                                       text("etc/x", "x"),
		"/usr/lib/ostree/prepare-root.conf is missing":                      remove("usr/lib/ostree/prepare-root.conf"),
		"the package ostree-boot is missing":                                remove("usr/lib/ostree/ostree-prepare-root"),
		"/usr/lib/os-release is missing":                                    remove("usr/lib/os-release"),
		"/usr/lib/systemd/systemd is missing":                               remove("usr/lib/systemd/systemd"),
		"/usr/lib/sysimage/dpkg/status is missing":                          remove("usr/lib/sysimage/dpkg/status"),
		"/usr/lib/tmpfiles.d/00-treewright-var.conf is missing":             remove("usr/lib/tmpfiles.d/00-treewright-var.conf"),
		`VERSION_ID is "2" in /etc/os-release and "" in`:                    own("ID=debian\nVERSION_ID=\"2\"\n"),
		`ID is "mine" in /etc/os-release and "debian" in`:                   own("ID=mine\n"),
		"user root has a password in /etc/shadow":                           text("usr/etc/shadow", "root:$y$j9T$abc:1::::::\n"),
		"user guest can log in without a password":                          text("usr/etc/shadow", "root:*:1:\nguest::1::::::\n"),
		"/etc/ssh/ssh_host_ed25519_key is a host key of ssh":                text("usr/etc/ssh/ssh_host_ed25519_key", "x"),
		"/etc/machine-id is the identity of a machine":                      text("usr/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
		`"/usr/lib/\xff" has a name`:                                        text("usr/lib/\xff", "x"),
		`"/usr/lib/x" has a name, or as a link a target, that is not UTF-8`: func(tree string) { os.Symlink("\xff", filepath.Join(tree, "usr/lib/x")) },
		"/usr/lib/fifo is a device, pipe or socket, which a co":             func(tree string) { syscall.Mkfifo(filepath.Join(tree, "usr/lib/fifo"), 0o600) },
	} {
		tree := goodTree(t)
		spoil(tree)
		err := Tree(tree, dpkg, nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		} else if n := strings.Count(strings.TrimSuffix(err.Error(), secretAdvice), "\n"); n != 1 {
			t.Errorf("%s: %d faults are reported, want one:\n%v", want, n, err)
		}
	}
	tree := goodTree(t)
	text("usr/etc/machine-id", "uninitialized\n")(tree)
	if err := Tree(tree, dpkg, nil, nil); err != nil {
		t.Errorf("an uninitialised machine-id: %v", err)
	}
	// All faults at once, always in the same order.
	for _, spoil := range []func(string){remove("home"), remove("usr/lib/os-release"), remove("usr/lib/systemd/systemd")} {
		spoil(tree)
	}
	first := Tree(tree, dpkg, nil, nil)
	if n := strings.Count(first.Error(), "\n"); n != 3 {
		t.Errorf("%d faults are reported, want 3: %v", n, first)
	}
	for range 10 {
		if again := Tree(tree, dpkg, nil, nil); again.Error() != first.Error() {
			t.Fatalf("the order changes:\n%v\n%v", first, again)
		}
	}
}
