//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stateFiles are a feature's, with content; what ends in "/run" is a program.
var stateFiles = map[string]string{
	"root/.ssh/authorized_keys":                  "ssh-ed25519 AAAA",
	"root/.bashrc":                               "mine",
	"home/guest/note":                            "hello",
	"mnt/note":                                   "hello",
	"var/srv/www/css/deep/x":                     "first",
	"var/srv/www/index":                          "first",
	"var/lib/app/conf":                           "first",
	"var/lib/app/suid":                           "x",
	"var/lib/app/closed/old":                     "first",
	"var/lib/flatpak/repo/conf":                  "x",
	"var/cache/app/warm":                         "x",
	"var/log/app/log":                            "x",
	"var/tmp/mine":                               "x",
	"var/backups/mine":                           "x",
	"srv/site/page":                              "first",
	"opt/tool/bin/run":                           "#!/bin/sh\necho first\n",
	"usr/local/bin/run":                          "#!/bin/sh\necho first\n",
	"usr/local/lib/systemd/system/early.service": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
	"usr/local/lib/systemd/system/early.service.d/x.conf": "[Unit]\nDescription=x\n",
	"usr/lib/tmpfiles.d/conflict.conf":                    "f /var/lib/app/conf 0600 - - - other\nd /var/lib/app 0777 - - -\n",
}

const stateStat = `www-data www-data 2750 /var/srv/www
www-data www-data 0640 /var/srv/www/index
www-data www-data 0755 /var/srv/www/css /var/srv/www/css/deep
root root 4755 /var/lib/app/suid
root adm 0710 /var/lib/app/closed
`

// stateBuild makes a file of each name that might be taken for something else,
// and a link to it.
const stateBuild = `#!/usr/bin/env bash
set -euo pipefail
names=("it's" 'a"b' $'a\nd evil 0777' 'back\slash\x20' '%m%%' ' blank ' $'\ttab' .hidden '*?[a]' '#' - $'\e[1m')
mkdir -p "$1/var/lib/names" "$1/var/lib/links"
for i in "${!names[@]}"; do
	echo "$i" > "$1/var/lib/names/${names[i]}"
	ln -s "../names/${names[i]}" "$1/var/lib/links/$i"
done
`

const stateConfig = `#!/usr/bin/env bash
set -euo pipefail
systemctl enable early.service
ln /opt/tool/bin/run /opt/tool/bin/again
cp /bin/true /opt/tool/bin/able
setcap cap_net_raw+ep /opt/tool/bin/able
mkdir -p /var/cache/script /usr/local/share/empty
echo x > /var/cache/script/made
echo x > /var/log/trace.log
ldconfig
`

// stateProject has a feature that puts something into every place that becomes
// a machine's own.
func stateProject(t *testing.T) *project {
	p := sharing(t, strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "state"]`, 1))
	p.write("features/state/info.yaml", "description: state\ntype: element\n")
	for name, content := range stateFiles {
		p.write("features/state/file.include/"+name, content)
		if strings.HasSuffix(name, "/run") {
			p.chmod("features/state/file.include/" + name)
		}
	}
	p.write("features/state/file.include.stat", stateStat)
	p.write("features/state/exec.build", stateBuild)
	p.write("features/state/exec.config", stateConfig)
	p.chmod("features/state/exec.build")
	p.chmod("features/state/exec.config")
	return p
}

func (p *project) chmod(name string) {
	p.t.Helper()
	if err := os.Chmod(filepath.Join(p.dir, name), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

// expect compares what is at paths of a machine: "" for nothing, "MODE USER
// GROUP", or "=" and the content.
func (m *machine) expect(when string, want map[string]string) {
	m.t.Helper()
	for name, want := range want {
		got, err := m.try("stat", "-c", "%a %U %G", name)
		if content, ok := strings.CutPrefix(want, "="); ok {
			if got, err = m.try("cat", name); got == content {
				continue
			}
		}
		switch {
		case want == "" && err != nil && strings.Contains(got, "No such file"):
		case err != nil || strings.TrimSpace(got) != want:
			m.t.Errorf("%s: %s is %q, want %q", when, name, strings.TrimSpace(got), want)
		}
	}
}

// TestState follows what a commit brings into /var, and through the links that
// lead there, over two boots, an owner's changes, and an upgrade.
func TestState(t *testing.T) {
	t.Parallel()
	p := stateProject(t)
	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code != 0 {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	if want := "/var/log: scripts of features left trace.log there"; !strings.Contains(out, want) {
		t.Errorf("the build does not say %q:\n%s", want, out)
	}
	m := newMachine(t, p, p.output("small-repo-amd64"), p.manifest().Commit)
	// The service manager looks for units before it fills /var.
	m.expect("before the first boot", map[string]string{
		"/usr/lib/systemd/system/early.service": "644 root root", "/usr/lib/systemd/system/early.service.d/x.conf": "644 root root",
		"/etc/systemd/system/multi-user.target.wants/early.service": "777 root root",
	})
	said := m.boot()
	for _, line := range strings.Split(said, "\n") {
		if strings.Contains(line, "Duplicate line") && !strings.Contains(line, "conflict.conf") && !strings.Contains(line, "provision.conf") {
			t.Errorf("the first boot says %s", line)
		}
	}
	first := map[string]string{
		"/root/.ssh/authorized_keys": "=ssh-ed25519 AAAA", "/root/.ssh": "700 root root", "/root/.bashrc": "=mine", "/home/guest/note": "=hello", "/mnt/note": "=hello",
		"/srv/www": "2750 www-data www-data", "/srv/www/index": "640 www-data www-data", "/srv/www/css/deep": "755 www-data www-data", "/srv/www/css/deep/x": "=first",
		"/var/lib/app": "755 root root", "/var/lib/app/conf": "=first", "/var/lib/app/suid": "4755 root root", "/var/lib/app/closed": "710 root adm", "/var/lib/app/closed/old": "=first",
		"/var/lib/flatpak/repo/conf": "=x", "/var/cache/app/warm": "=x", "/var/cache/script/made": "=x\n", "/var/log/app/log": "=x", "/var/tmp/mine": "=x", "/var/backups/mine": "=x",
		"/srv/site/page": "=first", "/usr/local/share/empty": "755 root root", "/usr/local/man": "777 root root",
		"/var/log/trace.log": "", "/var/cache/ldconfig/aux-cache": "", "/var/lib/apt": "", "/usr/share/factory/var": "700 root root",
	}
	m.expect("first boot", first)
	m.checkNames()
	m.checkShipped("first")
	m.boot()
	m.expect("second boot", first)

	m.run("sh", "-ec", `chmod 600 /root/.bashrc; echo edited > /var/lib/app/conf; rm /root/.ssh/authorized_keys; chown -R man:man /srv/www; chmod 700 /srv/www
		chmod 755 /var/lib/app/suid; rm -r /var/lib/app/closed /var/cache/* /home/guest; rm /opt/tool /usr/local/bin/run; echo own > /usr/local/bin/own; mkdir /srv/own`)
	changed := map[string]string{
		"/root/.bashrc": "600 root root", "/root/.ssh/authorized_keys": "", "/srv/www": "2700 man man", "/srv/www/index": "640 man man", "/var/lib/app/conf": "=edited\n",
		"/var/lib/app/suid": "755 root root", "/var/lib/app/closed": "", "/home/guest": "", "/var/home": "755 root root", "/opt/tool": "", "/usr/local/bin/run": "", "/usr/local/bin/own": "=own\n", "/srv/own": "755 root root",
		"/var/cache/app": "755 root root", "/var/cache/app/warm": "", "/var/cache/ldconfig": "700 root root",
	}
	m.boot()
	m.expect("after changes", changed)
	m.run("systemd-tmpfiles", "--create", "--boot")
	m.expect("after systemd-tmpfiles", changed)
	// To get the content again, remove the file that hides the rules.
	m.run("sh", "-ec", `cd /usr/lib/tmpfiles.d; for f in $(grep -lE '"/var/(opt/tool|usrlocal/bin/run)"' 00-treewright-first-*); do rm "/usr/local/lib/tmpfiles.d/$f"; done`)

	for name, content := range map[string]string{
		"srv/site/page": "second", "opt/tool/bin/run": "#!/bin/sh\necho second\n", "usr/local/bin/run": "#!/bin/sh\necho second\n",
		"var/lib/app/conf": "second", "var/lib/app/closed/later": "second", "var/srv/www/later": "second",
	} {
		p.write("features/state/file.include/"+name, content)
	}
	p.chmod("features/state/file.include/opt/tool/bin/run")
	p.chmod("features/state/file.include/usr/local/bin/run")
	m.upgrade(p.build().Commit)
	m.boot()
	for _, name := range []string{"/opt/tool", "/usr/local/bin/run"} {
		delete(changed, name)
	}
	changed["/var/lib/app/closed"], changed["/var/lib/app/closed/old"], changed["/var/lib/app/closed/later"] = "710 root adm", "", "=second"
	changed["/srv/www/later"], changed["/srv/site/page"] = "=second", "=second"
	m.expect("after an upgrade", changed)
	m.checkShipped("second")

	// A third commit, in which something is gone and something else is another
	// account's.
	for _, name := range []string{"var/lib/app/conf", "var/srv/www/later", "home/guest/note"} {
		if err := os.Remove(filepath.Join(p.dir, "features/state/file.include", name)); err != nil {
			t.Fatal(err)
		}
	}
	p.write("features/state/file.include.stat", strings.ReplaceAll(stateStat, "root root 4755", "games games 4711"))
	m.upgrade(p.build().Commit)
	m.boot()
	m.boot()
	m.expect("after a second upgrade", changed)
	m.checkShipped("second")
}

// checkNames looks at what exec.build made.
func (m *machine) checkNames() {
	m.t.Helper()
	got := m.run("sh", "-ec", `find /var/lib/names -mindepth 1 -printf x | wc -c; i=0; while [ $i -lt 12 ]; do cat /var/lib/links/$i; i=$((i+1)); done`)
	want := "12\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11"
	if got != want {
		m.t.Errorf("files with odd names hold %q, want %q", got, want)
	}
	m.expect("odd names", map[string]string{"/var/lib/names/evil": "", "/evil": ""})
}

// checkShipped looks at programs that the commit updates.
func (m *machine) checkShipped(says string) {
	m.t.Helper()
	for _, program := range []string{"/opt/tool/bin/run", "/opt/tool/bin/again", "/usr/local/bin/run"} {
		if got := m.run(program); got != says {
			m.t.Errorf("%s says %q, want %q", program, got, says)
		}
	}
	if got := m.run("getcap", "/opt/tool/bin/able"); !strings.Contains(got, "cap_net_raw=ep") {
		m.t.Errorf("the capability is gone: %q", got)
	}
	if out, err := m.try("touch", "/opt/tool/x"); err == nil {
		m.t.Errorf("what the commit ships can be written to: %s", out)
	}
}

// TestIllegalPlaces: what cannot reach a machine stops check, without root; and
// the build, where only that can know.
func TestIllegalPlaces(t *testing.T) {
	t.Parallel()
	p := sharing(t, minimal)
	p.write("features/state/info.yaml", "description: state\ntype: element\n")
	for _, name := range []string{"boot/x", "run/x", "usr/etc/x", "media/x"} {
		p.write("features/state/file.include/"+name, "x")
	}
	out, code := p.treewright(nil, "check")
	if code == 0 {
		t.Error("check finds nothing")
	}
	for _, want := range []string{`Feature "state" contains /boot/x. `, `Feature "state" contains /run/x. `, `contains /usr/etc/x. OSTree makes it from /etc: put it in /etc.`, `contains /media/x. `} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("check does not say %q:\n%s", want, out)
		}
	}
	for _, name := range []string{"boot", "run", "usr", "media"} {
		if err := os.RemoveAll(filepath.Join(p.dir, "features/state/file.include", name)); err != nil {
			t.Fatal(err)
		}
	}
	p.write("flavours/e2e.hcl", strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "state"]`, 1))
	p.write("features/state/exec.build", "#!/bin/sh\nset -e\nmkdir -p $1/boot/loader $1/run\ntouch $1/boot/loader/x $1/run/x\n")
	p.write("features/state/exec.config", "#!/bin/sh\nset -e\nmkdir /usr/etc /media/disk\ntouch /usr/etc/x\n")
	p.chmod("features/state/exec.build")
	p.chmod("features/state/exec.config")
	out, code = p.treewright(nil, "--progress", "plain", flavourName)
	if code == 0 {
		t.Error("what exec.build and scripts left stops nothing")
	}
	for _, want := range []string{"/boot/loader/x: It is empty in a commit", "/run/x: It is made again at each boot.", "/usr/etc/x: OSTree makes it from /etc", "/media/disk: It is a link"} {
		if !strings.Contains(out, want) {
			t.Errorf("the build does not say %q:\n%s", want, out)
		}
	}
}
