//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// twoKeys are public keys of which nobody has the other half.
var twoKeys = []string{
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqgVExFJZUluKoY9AArwJ97e1Sfx819/ZCv901E86mI anna",
	"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBF6sQWqcJVfiDqTvufjxftsPIOwXN8u7U543glEUE8PYthPbJr5dz91py01MAKzyFVleUtaPyKNPvkmInHwKMm4= anna at work",
}

// swapped is what a feature brings in the place of base's defaults, by path.
var swapped = map[string]string{
	"etc/hostname":                            "swapped\n",
	"etc/default/locale":                      "LANG=de_DE.UTF-8\n",
	"etc/timezone":                            "Europe/Berlin\n",
	"etc/resolv.conf":                         "nameserver 127.0.0.1\n",
	"etc/apt/sources.list.d/debian.sources":   "Types: deb\nURIs: http://mine.example/debian\nSuites: testing\nComponents: main\n",
	"etc/sudoers.d/admin":                     "# nothing\n",
	"usr/lib/systemd/system-preset/10.preset": "disable systemd-sysext.service\n",
}

// TestSwappedServices builds a system whose features replace what base brings:
// its files, its ssh server, clock and resolver; and that has packages which
// make keys as they are installed. The keys are made on the machine.
func TestSwappedServices(t *testing.T) {
	t.Parallel()
	p := sharing(t, strings.Replace(strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "swap"]`, 1), "  set \"ostreeRepo\"",
		"  set \"base\" {\n    docs = true\n    user = \"anna\"\n    user_keys = [\""+strings.Join(twoKeys, `", "`)+"\"]\n  }\n  set \"ostreeRepo\"", 1))
	p.write("flavours/e2e.hcl", strings.Replace(p.read(filepath.Join(p.dir, "flavours/e2e.hcl")), `os_name = "small"`, "os_name = \"small\"\n    raw_modules = true\n    raw_initramfs = true", 1))
	p.write("features/swap/info.yaml", "type: element\nfeatures:\n  include: [base]\n")
	p.write("features/swap/pkg.include", "dropbear\nchrony\nunbound\nssl-cert\nmunge\nnvme-cli\nopen-iscsi\nbind9\n")
	p.write("features/swap/pkg.exclude", "openssh-server\nsystemd-timesyncd\nsystemd-resolved\n")
	for name, content := range swapped {
		p.write("features/swap/file.include/"+name, content)
	}
	p.write("features/swap/file.include/etc/systemd/system/none", "")
	if err := os.Symlink("/dev/null", filepath.Join(p.dir, "features/swap/file.include/etc/systemd/system/apt-daily.timer")); err != nil {
		t.Fatal(err)
	}
	p.write("features/swap/file.include/etc/vconsole.conf", "KEYMAP=de\n")
	said, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code != 0 {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	if !strings.Contains(said, "/etc/vconsole.conf comes from a feature, but") {
		t.Errorf("that systemd replaces /etc/vconsole.conf at each boot is not said:\n%s", said)
	}
	built := p.manifest()
	m := newMachine(t, p, p.output("small-repo-amd64"), built.Commit)
	m.boot()

	for name, want := range swapped {
		if got := m.run("cat", "/"+name) + "\n"; got != want {
			t.Errorf("/%s holds %q, not what the feature brought", name, got)
		}
	}
	for link, want := range map[string]string{"/etc/localtime": "/usr/share/zoneinfo/Europe/Berlin", "/etc/default/locale": "/etc/locale.conf"} {
		if got := m.run("readlink", "-f", link); got != want {
			t.Errorf("%s leads to %s, not %s", link, got, want)
		}
	}
	for unit, want := range map[string]string{
		"systemd-networkd.service": "enabled", "dropbear.service": "enabled", "chrony.service": "enabled", "unbound.service": "enabled",
		"systemd-sysext.service": "disabled", "apt-daily.timer": "masked", "apt-daily-upgrade.timer": "disabled", "ssh.service": "not-found",
	} {
		if got, _ := m.try("systemctl", "is-enabled", unit); strings.TrimSpace(got) != want {
			t.Errorf("%s is %q, not %s", unit, got, want)
		}
	}
	m.run("test", "-e", "/usr/share/doc/base-files/README")
	nothingCompressed(t, m)
	keysAreTheUsers(t, m)
	firstBootMakesSecrets(t, m, newMachine(t, p, p.output("small-repo-amd64"), built.Commit))

	baseRefuses(t, p)
}

// baseRefuses breaks the project in several ways; each stops the build before
// long, and says why.
func baseRefuses(t *testing.T, p *project) {
	t.Helper()
	flavour := p.read(filepath.Join(p.dir, "flavours/e2e.hcl"))
	for set, want := range map[string]string{
		`user = "munge"`: `The parameter user of base is "munge", which a package has`,
		"user = \"anna\"\n    hostname = \"edge\"": `The parameter hostname of base is "edge", but a feature brings /etc/hostname with "swapped"`,
	} {
		p.write("flavours/e2e.hcl", strings.Replace(flavour, `user = "anna"`, set, 1))
		out, code := p.treewright(nil, "--progress", "plain", flavourName)
		if code == 0 || !strings.Contains(out, want) || strings.Contains(out, "rootfs/install-system  ") {
			t.Errorf("with %s: exit %d, and not %q without another installation:\n%s", set, code, want, out)
		}
	}
	p.write("flavours/e2e.hcl", flavour)

	late := "#!/bin/bash\nset -e\ncat > /etc/made.pem <<'EOF'\n-----BEGIN " + "PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIDx5u0Jr3V8yXl7tZ0a1cYb7GdQf4kq9T2nWmA6hR1oE\n-----END\nEOF\nmungekey -c -k /etc/munge/munge.key\n"
	p.write("features/swap/exec.late", late)
	if err := os.Chmod(filepath.Join(p.dir, "features/swap/exec.late"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	for _, want := range []string{"/etc/made.pem is a private key", "/etc/munge/munge.key is the key of munge", "made when the package munge was installed", "first-boot"} {
		if code == 0 || !strings.Contains(out, want) {
			t.Errorf("with keys in the tree: exit %d, and not %q:\n%s", code, want, out)
		}
	}
}

// keysAreTheUsers: each key is a line where sshd looks, and the owner's to change.
func keysAreTheUsers(t *testing.T, m *machine) {
	t.Helper()
	const file = "/home/anna/.ssh/authorized_keys"
	if got := m.run("cat", file); got != strings.Join(twoKeys, "\n") {
		t.Errorf("%s holds %q", file, got)
	}
	for path, want := range map[string]string{file: "600 anna anna", "/home/anna/.ssh": "700 anna anna", "/home/anna/": "700 anna anna"} {
		if got := m.run("stat", "-c", "%a %U %G", path); got != want {
			t.Errorf("%s is %s, not %s", path, got, want)
		}
	}
	m.run("sh", "-c", "sed -i 1d "+file)
	m.boot()
	if got := m.run("cat", file); got != twoKeys[1] {
		t.Errorf("what its owner changed came back: %q", got)
	}
}

// madeAtFirstBoot are secrets and what they have to be like.
var madeAtFirstBoot = map[string]string{
	"/etc/ssl/private/ssl-cert-snakeoil.key":  "640 root ssl-cert",
	"/etc/ssl/certs/ssl-cert-snakeoil.pem":    "644 root root",
	"/etc/dropbear/dropbear_rsa_host_key":     "600 root root",
	"/etc/dropbear/dropbear_ecdsa_host_key":   "600 root root",
	"/etc/dropbear/dropbear_ed25519_host_key": "600 root root",
	"/etc/munge/munge.key":                    "600 munge munge",
	"/etc/nvme/hostnqn":                       "644 root root",
	"/etc/nvme/hostid":                        "644 root root",
	"/etc/iscsi/initiatorname.iscsi":          "600 root root",
	"/etc/bind/rndc.key":                      "640 bind bind",
}

var firstBootLine = regexp.MustCompile(`(?m)^(User|UMask|ExecStart)=(.*)$`)

// firstBootMakesSecrets runs what systemd would run, on two machines.
func firstBootMakesSecrets(t *testing.T, m, other *machine) {
	t.Helper()
	other.boot()
	for path := range madeAtFirstBoot {
		if _, err := m.try("test", "!", "-e", path); err != nil {
			t.Errorf("the commit has %s", path)
		}
	}
	units, err := filepath.Glob(filepath.Join(m.tree, "usr/lib/systemd/system/sysinit.target.wants/first-boot-*.service"))
	if err != nil || len(units) != 6 {
		t.Fatalf("units of the first boot: %v %v", units, err)
	}
	for _, unit := range units {
		m.run("systemd-analyze", "verify", "--man=no", filepath.Base(unit))
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		says := map[string]string{"User": "root"}
		for _, line := range firstBootLine.FindAllStringSubmatch(string(text), -1) {
			says[line[1]] = strings.ReplaceAll(line[2], "$$", "$")
		}
		for _, machine := range []*machine{m, other} {
			machine.run("runuser", "-u", says["User"], "--", "sh", "-c", "umask "+says["UMask"]+"; "+says["ExecStart"])
		}
	}
	for path, want := range madeAtFirstBoot {
		if got := m.run("stat", "-c", "%a %U %G", path); got != want {
			t.Errorf("%s is %s, not %s", path, got, want)
		}
		if m.run("sha256sum", path) == other.run("sha256sum", path) {
			t.Errorf("%s is the same on two machines", path)
		}
	}
}

// TestBaseDefaults: without another feature's files base's own are there.
func TestBaseDefaults(t *testing.T) {
	t.Parallel()
	p := sharing(t, minimal)
	built := p.build()
	m := newMachine(t, p, p.output("small-repo-amd64"), built.Commit)
	m.boot()
	doorsAre(t, m, 0)
	followsByHTTPS(t, p, m, built.Ref)
	for file, want := range map[string]string{
		"/etc/hostname": "debian", "/etc/locale.conf": "LANG=C.UTF-8", "/etc/default/locale": "LANG=C.UTF-8",
		"/etc/apt/sources.list.d/debian.sources": "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: testing\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.pgp",
	} {
		if got := m.run("cat", file); got != want {
			t.Errorf("%s holds %q, not %q", file, got, want)
		}
	}
	if got := m.run("readlink", "/etc/resolv.conf"); got != "../run/systemd/resolve/stub-resolv.conf" {
		t.Errorf("/etc/resolv.conf leads to %s", got)
	}
	for _, unit := range []string{"ssh", "systemd-networkd", "systemd-resolved", "systemd-sysext", "systemd-timesyncd"} {
		if got, _ := m.try("systemctl", "is-enabled", unit); strings.TrimSpace(got) != "enabled" {
			t.Errorf("%s is %q", unit, got)
		}
	}
	for _, unit := range []string{"apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service"} {
		if got, _ := m.try("systemctl", "is-enabled", unit); strings.TrimSpace(got) != "disabled" {
			t.Errorf("%s is %q", unit, got)
		}
	}

	p.write("flavours/e2e.hcl", strings.Replace(weak, `os_name = "small"`, "os_name = \"small\"\n    remote_url = \"http://updates.example/small-repo-amd64\"", 1))
	said, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code != 0 || !strings.Contains(said, "Updates without authentication") {
		t.Fatalf("exit %d, and no warning of http:\n%s", code, said)
	}
	m = newMachine(t, p, p.output("small-repo-amd64"), p.manifest().Commit)
	m.boot()
	doorsAre(t, m, 1)
}

// nothingCompressed checks what raw_modules and raw_initramfs ask for: modules are in the
// tree and in the initramfs as they are loaded, and the index of modules lists those.
func nothingCompressed(t *testing.T, m *machine) {
	t.Helper()
	if got := m.run("sh", "-c", "cd /usr/lib/modules/* && find . -name '*.ko.*' && cut -d : -f 1 modules.dep | grep -v '[.]ko$'; true"); got != "" {
		t.Errorf("compressed modules are there, or in modules.dep:\n%.400s", got)
	}
	if got := m.run("sh", "-c", `cd /usr/lib/modules/* && head -c 6 initramfs.img && grep -a -c 'kernel/.*[.]ko' initramfs.img
module=$(find kernel -name '*.ko' | sort | head -n 1)
modinfo -k "$(basename "$PWD")" -F filename "$(basename "$module" .ko)"`); !regexp.MustCompile(`^07070[12][1-9][0-9]*\n\S+\.ko$`).MatchString(strings.TrimSpace(got)) {
		t.Errorf("the initramfs and a module are %.400q", got)
	}
}
