package stage

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// me is the owner of what a test makes, as a rule names it in a tree whose
// accounts are those of accounts.
func me() string {
	if os.Getuid() == 0 {
		return "root root"
	}
	return treefs.OwnerName(nil, uint32(os.Getuid())) + " " + treefs.OwnerName(nil, uint32(os.Getgid()))
}

func accounts(t *testing.T, tree string) string {
	t.Helper()
	treetest.Lay(t, tree, "etc/")
	for file, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\nman:x:6:12::/:/x\nbroken\nodd:x:nine:1:\n",
		"etc/group":  "root:x:0:\nman:x:12:\nmail:x:8:\n",
	} {
		if err := os.WriteFile(filepath.Join(tree, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func TestRelocate(t *testing.T) {
	moved := ""
	move := func(from, to string) error { moved += from + ">" + to + " "; return nil }
	for name, tc := range map[string]struct {
		tree    []string
		content string
		moved   string
		fails   bool
	}{
		"missing":      {nil, "var/home", "", false},
		"a link":       {[]string{"home -> elsewhere"}, "var/home", "", false},
		"empty mount":  {[]string{"home/"}, "", "", false},
		"filled mount": {[]string{"home/x"}, "", "", true},
	} {
		tree := treetest.Lay(t, t.TempDir(), tc.tree...)
		moved = ""
		err := relocate(tree, "home", "var/home", tc.content, move)
		if (err != nil) != tc.fails || moved != tc.moved {
			t.Errorf("%s: error %v, moved %q", name, err, moved)
		}
		if target, _ := os.Readlink(filepath.Join(tree, "home")); !tc.fails && target != "var/home" {
			t.Errorf("%s: the link leads to %q", name, target)
		}
	}
	// A folder with content is moved, and what cannot be moved is an error.
	tree := treetest.Lay(t, t.TempDir(), "home/x")
	err := relocate(tree, "home", "var/home", "var/home", func(from, to string) error {
		moved = from + ">" + to
		return os.RemoveAll(filepath.Join(tree, from))
	})
	if err != nil || moved != "home>var/home" {
		t.Errorf("error %v, moved %q", err, moved)
	}
	broken := errors.New("no room")
	if err := relocate(treetest.Lay(t, t.TempDir(), "home/x"), "home", "var/home", "var/home", func(string, string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestCopyKernels(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "usr/lib/modules/7.2/", "boot/vmlinuz-7.2", "boot/config-7.2", "boot/System.map-7.2", "boot/config-6.1")
	if err := copyKernels(tree); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"usr/lib/modules/7.2/vmlinuz": true, "usr/lib/modules/7.2/config": true, "usr/lib/modules/7.2/System.map": true, "usr/lib/modules/6.1": false,
	} {
		if got := treefs.Exists(filepath.Join(tree, name)); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
}

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
	if err := lint(goodTree(t), nil, nil); err != nil {
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
		"/var is not an empty folder":                                       text("var/x", "x"),
		"/boot is not an empty folder":                                      remove("boot"),
		"/etc is there beside /usr/etc":                                     text("etc/x", "x"),
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
		err := lint(tree, nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		} else if n := strings.Count(strings.TrimSuffix(err.Error(), secretAdvice), "\n"); n != 1 {
			t.Errorf("%s: %d faults are reported, want one:\n%v", want, n, err)
		}
	}
	tree := goodTree(t)
	text("usr/etc/machine-id", "uninitialized\n")(tree)
	if err := lint(tree, nil, nil); err != nil {
		t.Errorf("an uninitialised machine-id: %v", err)
	}
	// All faults at once, always in the same order.
	for _, spoil := range []func(string){remove("home"), remove("usr/lib/os-release"), remove("usr/lib/systemd/systemd")} {
		spoil(tree)
	}
	first := lint(tree, nil, nil)
	if n := strings.Count(first.Error(), "\n"); n != 3 {
		t.Errorf("%d faults are reported, want 3: %v", n, first)
	}
	for range 10 {
		if again := lint(tree, nil, nil); again.Error() != first.Error() {
			t.Fatalf("the order changes:\n%v\n%v", first, again)
		}
	}
}

func TestNextVersion(t *testing.T) {
	for _, tc := range [][3]string{
		{"20260101", "", "20260101"}, {"20260101", "20251231", "20260101"}, {"20260101", "20260101", "20260101.1"},
		{"20260101", "20260101.1", "20260101.2"}, {"20260101", "20260101.9", "20260101.10"},
		{"20260101", "20260101.x", "20260101"}, {"20260101", "202601011", "20260101"}, {"20260101", "20251231.4", "20260101"},
		{"20260101", "20260105", "20260105.1"}, {"20260101", "20260105.2", "20260105.3"},
	} {
		if got := nextVersion(tc[0], tc[1]); got != tc[2] {
			t.Errorf("after %q comes %q, want %q", tc[1], got, tc[2])
		}
	}
}
