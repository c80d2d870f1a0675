//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// extensionFiles are features that make one extension each of a kind, and one
// that gives the system a name of its own.
var extensionFiles = map[string]string{
	"own-name/info.yaml":                   "type: element\nfeatures:\n  include: [base]\n",
	"own-name/file.include/etc/os-release": "ID=debian\nNAME=Mine\nVERSION_ID=1", // without a line end

	// A set-group-ID program, a unit, tables in /var.
	"sysext-cron/info.yaml":                    "type: extension\nfeatures:\n  include: [base]\n",
	"sysext-cron/pkg.include":                  "cron\n",
	"sysext-cron/file.include/etc/cron.d/mine": "17 * * * * root true\n",
	// Alternatives.
	"sysext-vim/info.yaml":   "type: extension\nfeatures:\n  include: [base]\n",
	"sysext-vim/pkg.include": "vim\n",
	// Accounts made by postinst, configuration they alone may read, aliases, sockets.
	"sysext-daemons/info.yaml":   "type: extension\nfeatures:\n  include: [base]\n",
	"sysext-daemons/pkg.include": "redis-server\navahi-daemon\n",
	"sysext-daemons/exec.config": "#!/bin/bash\nset -e\nadduser --quiet daemon adm\necho changed >> /etc/issue\nmkdir -p /srv/d /boot/d\necho x > /srv/d/x\necho x > /boot/d/x\n",
	"sysext-module/info.yaml":    "type: extension\nfeatures:\n  include: [base]\n",
	"sysext-module/exec.config": `#!/bin/bash
set -euo pipefail
cd "/usr/lib/modules/$(ls /usr/lib/modules)"
module=$(find kernel -name 'dummy.ko*')
mkdir updates
cp "$module" "updates/extra.ko${module##*.ko}"
`,
}

// TestExtensions merges extensions of all kinds into a machine that has booted
// before, and does what systemd does then.
func TestExtensions(t *testing.T) {
	t.Parallel()
	p := sharing(t, strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "own-name", "sysext-cron", "sysext-vim", "sysext-daemons", "sysext-module"]`, 1))
	for name, content := range extensionFiles {
		p.write("features/"+name, content)
		if strings.HasPrefix(filepath.Base(name), "exec.") {
			if err := os.Chmod(filepath.Join(p.dir, "features", name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code != 0 {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	for _, want := range []string{
		"warning: extension/daemons/tree: /etc/issue is left out (of package base-files): on machines the machine keeps the system's: content changed",
		"warning: extension/daemons/tree: /boot/d/x is left out: an extension holds /usr and /opt",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the build does not say %q:\n%s", want, out)
		}
	}
	m := newMachine(t, p, p.output("small-repo-amd64"), p.manifest().Commit)
	m.boot()
	// The owner's own configuration, and an own account in the middle.
	m.run("sh", "-c", "echo mine > /etc/crontab && systemd-sysusers --inline 'u local 777'")
	if got := m.run("sh", "-c", ". /etc/os-release && echo $NAME && cmp /etc/os-release /usr/lib/os-release"); got != "Mine" {
		t.Errorf("the machine is called %q", got)
	}
	version := m.run("sh", "-c", ". /etc/os-release && echo $VERSION_ID")
	names := []string{"cron", "daemons", "module", "vim"}
	for _, name := range names {
		if release := p.read(p.output(name) + "/usr/lib/extension-release.d/extension-release." + name); !strings.Contains(release, "VERSION_ID=\""+version+"\"\n") {
			t.Errorf("%s is for another system than %s:\n%s", name, version, release)
		}
		m.extensions = append(m.extensions, p.output(name))
	}
	setUp := func() {
		for _, name := range names[:2] {
			m.run("/usr/libexec/extension-" + name + "-setup")
		}
		m.run("/usr/libexec/extension-vim-setup")
	}
	setUp()
	for _, c := range []struct{ path, want string }{
		{"/usr/bin/crontab", "2755 root crontab"}, {"/var/spool/cron/crontabs", "1730 root crontab"}, {"/etc/cron.d/mine", "644 root root"},
		{"/var/lib/redis", "750 redis redis"}, {"/etc/redis", "2770 redis redis"}, {"/etc/redis/redis.conf", "640 redis redis"}, {"/etc/avahi/avahi-daemon.conf", "644 root root"},
	} {
		if got := m.run("stat", "-c", "%a %U %G", c.path); got != c.want {
			t.Errorf("%s is %s, want %s", c.path, got, c.want)
		}
	}
	if got := m.run("cat", "/srv/d/x"); got != "x" {
		t.Errorf("what the extension has in /srv is %q", got)
	}
	if got := m.run("cat", "/etc/crontab"); got != "mine" {
		t.Errorf("what the owner wrote became %q", got)
	}
	if got := m.run("id", "-nG", "daemon"); got != "daemon adm" {
		t.Errorf("daemon is in %s", got)
	}
	if got := m.run("vim", "--version"); !strings.HasPrefix(got, "VIM - Vi IMproved") {
		t.Errorf("vim says %q", got)
	}
	if got := m.run("sh", "-c", "modinfo -k $(ls /usr/lib/modules) -n extra && modinfo -k $(ls /usr/lib/modules) -n loop"); !regexp.MustCompile(`/updates/extra\.ko.*\n.*/loop\.ko`).MatchString(got) {
		t.Errorf("modules: %s", got)
	}
	unitsOfExtensions(t, m)

	// What the owner deletes or changes is the owner's, at the next boot as well.
	m.run("sh", "-c", "rm /etc/cron.d/mine && rm -r /etc/vim && chmod 700 /var/lib/redis && rm -r /var/log/redis && gpasswd -d daemon adm")
	// As base has it; systemd's own way would bring memberships back.
	m.run("/usr/lib/treewright/new-accounts")
	m.run("systemd-tmpfiles", "--create", "--remove", "--boot", "--exclude-prefix=/dev")
	setUp()
	if got := m.run("id", "-nG", "daemon"); got != "daemon" {
		t.Errorf("daemon is in %s again", got)
	}
	for _, gone := range []string{"/etc/cron.d/mine", "/etc/vim"} {
		if _, err := m.try("test", "!", "-e", gone); err != nil {
			t.Errorf("%s is back", gone)
		}
	}
	for dir, want := range map[string]string{"/var/lib/redis": "700 redis redis", "/var/log/redis": "2750 redis adm"} {
		if got := m.run("stat", "-c", "%a %U %G", dir); got != want {
			t.Errorf("%s is %s, want %s", dir, got, want)
		}
	}

	// On a machine where somebody has the number, nothing runs with it.
	other := newMachine(t, p, p.output("small-repo-amd64"), p.manifest().Commit)
	other.boot()
	other.run("systemd-sysusers", "--inline", "g stranger 609")
	other.extensions = m.extensions
	said, err := other.try("/usr/libexec/extension-cron-setup")
	if err == nil || !strings.Contains(said, "crontab of group has the number") || !strings.Contains(said, "files of the extension cron belong to 609") {
		t.Errorf("with a stranger's number: %v, %s", err, said)
	}
}

// unitsOfExtensions asks systemd what is enabled, and whether it understands
// the units.
func unitsOfExtensions(t *testing.T, m *machine) {
	t.Helper()
	for unit, want := range map[string]string{"redis.service": "alias", "dbus-org.freedesktop.Avahi.service": "alias"} {
		if got, _ := m.try("systemctl", "is-enabled", unit); strings.TrimSpace(got) != want {
			t.Errorf("%s is %q, want %q", unit, strings.TrimSpace(got), want)
		}
	}
	for name, wants := range map[string]string{"cron": "cron.service", "daemons": "avahi-daemon.service avahi-daemon.socket redis-server.service"} {
		upheld := m.run("sh", "-c", "basename /usr/lib/systemd/system/multi-user.target.upholds/"+name+"-setup@*.service")
		if !regexp.MustCompile(`^` + name + `-setup@[0-9a-f]{8}\.service$`).MatchString(upheld) {
			t.Errorf("upheld is %q", upheld)
		}
		if got := m.run("sh", "-c", "sed -n s/^Wants=//p /usr/lib/systemd/system/"+name+"-setup@.service | xargs"); got != wants {
			t.Errorf("%s starts %q, want %q", name, got, wants)
		}
		for _, unit := range append(strings.Fields(wants), upheld) {
			if said, err := m.try("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit); err != nil {
				t.Errorf("systemd does not like %s: %v\n%s", unit, err, said)
			}
		}
	}
}
