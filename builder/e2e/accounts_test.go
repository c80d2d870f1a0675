//go:build e2e

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ids reads "NAME UID" and "NAME: GID" of all accounts of a machine.
func (m *machine) ids() map[string]string {
	m.t.Helper()
	ids := map[string]string{}
	for line := range strings.Lines(m.run("cat", "/etc/passwd")) {
		f := strings.Split(line, ":")
		ids["user "+f[0]] = f[2]
	}
	for line := range strings.Lines(m.run("cat", "/etc/group")) {
		f := strings.Split(line, ":")
		ids["group "+f[0]] = f[2]
	}
	return ids
}

// moved are the accounts of both that do not have the same number.
func moved(before, after map[string]string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if id, ok := after[name]; ok && id != before[name] {
			names = append(names, name+": "+before[name]+" became "+id)
		}
	}
	return names
}

// mail is a feature with packages whose accounts are made in every way there
// is: by sysusers.d, by adduser in a postinst, with fixed numbers and without.
func mail(p *project, packages ...string) {
	p.t.Helper()
	p.write("features/mail/pkg.include", strings.Join(packages, "\n")+"\n")
}

// odd leaves files of all kinds to an account that is renumbered afterwards, and
// oddWanted is what they are to be then.
const (
	odd = `#!/bin/bash
set -euo pipefail
mkdir /usr/lib/odd
cd /usr/lib/odd
cp /usr/bin/true program
touch one acl
ln one two
chown redis:redis program one
chmod 6755 program
setcap cap_net_raw+ep program
setfacl -m u:redis:rw,g:redis:r acl
`
	oddWanted = `/usr/lib/odd/program cap_net_raw=ep
user::rw-
user:700:rw-
group::r--
group:700:r--
mask::rw-
other::r--

700 6755
700 644
700 644`
)

func TestAccounts(t *testing.T) {
	t.Parallel()
	p := sharing(t, strings.NewReplacer(`"ostreeRepo"]`, `"ostreeRepo", "mail"]`, `set "ostreeRepo" {`, `set "base" {
    user = "anna"
  }
  set "ostreeRepo" {`).Replace(minimal))
	p.write("features/mail/info.yaml", "description: accounts of all kinds\ntype: element\nfeatures:\n  include: [base]\n")
	p.write("features/mail/file.include/usr/lib/sysusers.d/agent.conf", "u agent - \"An agent\" /var/lib/agent\nm agent adm\n")
	p.write("features/mail/file.include/etc/agent.conf", "a\n")
	p.write("features/mail/file.include/srv/agent/data", "a\n")
	p.write("features/mail/file.include.stat", "agent anna 640 /etc/agent.conf\nroot postdrop 2755 /usr/sbin/postqueue\n")
	p.write("accounts", "u redis 700\ng postdrop 701\n")
	p.write("features/mail/exec.accounts", odd)
	if err := os.Chmod(filepath.Join(p.dir, "features/mail/exec.accounts"), 0o755); err != nil {
		t.Fatal(err)
	}
	// An account that is made last of all.
	p.write("features/mail/exec.late", "#!/bin/bash\nset -euo pipefail\nuseradd --system late\ninstall -o late -g late -m 2750 /usr/bin/true /usr/lib/late\n")
	if err := os.Chmod(filepath.Join(p.dir, "features/mail/exec.late"), 0o755); err != nil {
		t.Fatal(err)
	}
	mail(p, "tcpdump", "uuid-runtime", "postfix", "redis-server", "acl", "libcap2-bin")

	first := p.build()
	m := newMachine(t, p, p.output("small-repo-amd64"), first.Commit)
	m.boot()
	var newAccounts []string
	ids := m.ids()
	if ids["user redis"] != "700" || ids["group redis"] != "700" || ids["group postdrop"] != "701" {
		t.Errorf("the file accounts does not count: %v", ids)
	}
	if got := m.run("stat", "-c", "%a %U %G", "/etc/agent.conf", "/usr/sbin/postqueue"); got != "640 agent anna\n2755 root postdrop" {
		t.Errorf("file.include.stat gave %q", got)
	}
	if got := m.run("sh", "-c", "getcap /usr/lib/odd/program; getfacl -pcn /usr/lib/odd/acl; stat -c '%u %a' /usr/lib/odd/program /usr/lib/odd/one /usr/lib/odd/two"); got != oddWanted {
		t.Errorf("what belongs to redis, which gets another number, came out as\n%s", got)
	}
	owned := func(m *machine) string {
		return m.run("sh", "-c", "stat -c '%n %u %g %a' /usr/sbin/postdrop /var/spool/postfix/* /var/lib/redis /etc/redis /etc/agent.conf /usr/lib/late; cat /etc/subuid")
	}
	owners := owned(m)
	// An account of the machine's own, so that the next commit's passwd is not
	// taken over as it is.
	m.run("useradd", "--system", "mine")
	// What the unit of that name runs, and the owner's word against it.
	m.run("/usr/lib/treewright/new-accounts")
	m.run("gpasswd", "--delete", "anna", "sudo")
	m.run("userdel", "games")

	// What the second commit brings must not get the number that the machine has
	// just given to its owner's account; wherever it is declared.
	m.run("install", "-o", "mine", "-m", "600", "/etc/hostname", "/var/lib/mine")
	for _, name := range []string{"usr/lib", "usr/local/lib", "etc"} {
		account := "new" + strings.ReplaceAll(name, "/", "")
		p.write("features/mail/file.include/"+name+"/sysusers.d/"+account+".conf", "u "+account+" -\n")
		p.write("features/mail/file.include/usr/lib/new/"+account, "x\n")
		newAccounts = append(newAccounts, account)
	}
	p.write("features/mail/file.include.stat", "agent anna 640 /etc/agent.conf\nroot postdrop 2755 /usr/sbin/postqueue\n"+
		strings.Join(stats(newAccounts), ""))

	mail(p, "uuid-runtime", "postfix", "redis-server", "avahi-daemon", "openbsd-inetd", "acl", "libcap2-bin")
	second := p.build()
	if second.Parent != first.Commit {
		t.Fatalf("the second commit's parent is %q", second.Parent)
	}
	fresh := newMachine(t, p, p.output("small-repo-amd64"), second.Commit)
	fresh.boot()
	if wrong := moved(ids, fresh.ids()); len(wrong) > 0 {
		t.Errorf("without tcpdump: %v", wrong)
	}
	m.upgrade(second.Commit)
	m.run("/usr/lib/treewright/new-accounts")
	if got := m.run("id", "-nG", "anna"); got != "anna" {
		t.Errorf("after the upgrade anna is a member of %q, although its owner made it leave", got)
	}
	if out, err := m.try("id", "games"); err == nil {
		t.Errorf("a removed account is back: %s", out)
	}
	for _, name := range newAccounts {
		if got := m.run("stat", "-c", "%U", "/usr/lib/new/"+name); got != name {
			t.Errorf("a file of %s belongs to %s on the machine", name, got)
		}
	}
	if m.ids()["user avahi"] == "" {
		t.Error("the new commit's account is missing")
	}
	m.boot()
	if wrong := moved(ids, m.ids()); len(wrong) > 0 {
		t.Errorf("after the upgrade: %v", wrong)
	}
	if wrong := moved(fresh.ids(), m.ids()); len(wrong) > 0 || m.ids()["user avahi"] == "" {
		t.Errorf("an upgraded machine has other numbers than a new one: %v", wrong)
	}
	if got := m.run("id", "-nG", "agent"); !strings.Contains(got, "adm") {
		t.Errorf("agent is a member of %s", got)
	}
	if now := owned(m); now != owners {
		t.Errorf("owners were\n%s\nand are\n%s", owners, now)
	}
	if again := p.build(); len(again.ran()) != 0 || again.Commit != second.Commit {
		t.Errorf("without a change these steps ran: %v", again.ran())
	}

	// A number that is taken all the same is said, again and again.
	taken := newMachine(t, p, p.output("small-repo-amd64"), first.Commit)
	taken.run("/usr/lib/treewright/new-accounts")
	taken.run("useradd", "--system", "--uid", fresh.ids()["user newetc"], "owners")
	taken.upgrade(second.Commit)
	for range 2 {
		if out, err := taken.try("/usr/lib/treewright/new-accounts"); err == nil || !strings.Contains(out, "u newetc has the number") || !strings.Contains(out, "which is owners's here") {
			t.Errorf("a number that is taken: error %v\n%s", err, out)
		}
	}

	mail(p, "tcpdump", "postfix", "avahi-daemon", "redis-server", "acl", "libcap2-bin")
	third := p.build()
	last := newMachine(t, p, p.output("small-repo-amd64"), third.Commit)
	for _, before := range []map[string]string{ids, fresh.ids()} {
		if wrong := moved(before, last.ids()); len(wrong) > 0 {
			t.Errorf("with tcpdump again: %v", wrong)
		}
	}

	conflicts(t, p, third.Commit)
}

// stats are lines of file.include.stat that give accounts their files.
func stats(accounts []string) (lines []string) {
	for _, name := range accounts {
		lines = append(lines, name+" "+name+" 600 /usr/lib/new/"+name+"\n")
	}
	return lines
}

// conflicts asks for numbers that cannot be had.
func conflicts(t *testing.T, p *project, commit string) {
	file := "features/mail/file.include/usr/lib/sysusers.d/agent.conf"
	refuse := func(what string, code int, wants ...string) {
		t.Helper()
		out, got := p.treewright(nil, "--progress", "plain", flavourName)
		if got != code || p.manifest().Commit != commit {
			t.Errorf("%s: exit %d, want %d:\n%s", what, got, code, out)
		}
		for _, w := range wants {
			if !strings.Contains(out, w) {
				t.Errorf("%s: the output does not say %q:\n%s", what, w, out)
			}
		}
	}
	p.write(file, "u agent 555\nm agent adm\n")
	refuse("another number", 1, "user agent", "sysusers.d/agent.conf", "555")
	p.write(file, "u agent - \"An agent\" /var/lib/agent\nm agent adm\nu other 700\n")
	refuse("redis' number", 1, "other", "700", "redis")
	p.write(file, "u agent - \"An agent\" /var/lib/agent\nm agent adm\n")
	p.write("accounts", "u redis 702\ng postdrop 701\n")
	refuse("the file accounts", 3, "accounts line 1", "redis has the number 700")
	if err := os.Remove(filepath.Join(p.dir, "accounts")); err != nil {
		t.Fatal(err)
	}
	if last := p.build(); last.Commit != commit {
		t.Errorf("without the file accounts, which the history makes superfluous, there is another commit")
	}
}
