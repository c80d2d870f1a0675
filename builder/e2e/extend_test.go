//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// added is what `extend --format json` prints, as far as it is read here.
type added struct {
	Document struct {
		Commit string   `json:"commit"`
		SHA256 string   `json:"sha256"`
		Notes  []string `json:"notes"`
		Added  []struct {
			Name string `json:"name"`
		} `json:"added"`
	} `json:"document"`
	Image string `json:"image"`
}

// extend adds packages to the newest commit.
func (p *project) extend(packages ...string) added {
	p.t.Helper()
	out, code := p.treewright(nil, append([]string{"--progress", "plain", "extend", "--format", "json", flavourName}, packages...)...)
	if code != 0 {
		p.t.Fatalf("exit %d:\n%s", code, out)
	}
	// Only the image is published, so the command must not warn of the directory from which it is made.
	if strings.Contains(out, "the directory is open to its owner only") {
		p.t.Errorf("a directory was published:\n%s", out)
	}
	var a added
	begin := strings.Index(out, "{\n")
	if begin < 0 || json.Unmarshal([]byte(out[begin:]), &a) != nil {
		p.t.Fatalf("this is not JSON:\n%s", out)
	}
	return a
}

// TestExtend adds packages to a published commit, and merges the image into a machine that runs it: a daemon with an account,
// alternatives, Python modules, and a package that makes a secret when it is installed.
func TestExtend(t *testing.T) {
	t.Parallel()
	p := sharing(t, minimal)
	p.build()
	a := p.extend("redis-server", "vim", "python3-yaml", "ssl-cert", "cron")
	if a.Document.Commit != p.manifest().Commit {
		t.Errorf("the image is for %s", a.Document.Commit)
	}
	if got := hashOf(t, a.Image); got != a.Document.SHA256 {
		t.Errorf("the image has the SHA-256 %s, the list has %s", got, a.Document.SHA256)
	}
	m := newMachine(t, p, p.output("small-repo-amd64"), a.Document.Commit)
	m.boot()
	merged := t.TempDir()
	m.host("mount", "-o", "loop,ro", a.Image, merged)
	t.Cleanup(func() { m.host("umount", merged) })
	if _, err := os.Lstat(filepath.Join(merged, "usr/share/factory/extension-added/etc/ssl/private/ssl-cert-snakeoil.key")); err == nil {
		t.Error("the image has the secret of ssl-cert")
	}
	m.extensions = []string{merged}
	m.run("/usr/libexec/extension-added-setup")
	for _, c := range []struct{ command, want string }{
		{"stat -c '%a %U %G' /var/lib/redis /etc/redis/redis.conf", "750 redis redis\n640 redis redis"},
		{"stat -c '%a %U %G' /etc/ssl/private /usr/bin/crontab", "710 root ssl-cert\n2755 root crontab"},
		{"grep -h Wants= /usr/lib/systemd/system/added-setup@.service | sort", "Wants=cron.service\nWants=first-boot-ssl-cert.service\nWants=redis-server.service"},
		{"vim --version | head -n 1", "VIM - Vi IMproved .*"},
		{"python3 -c 'import yaml; print(yaml.dump([1]))'", "- 1\n?"},
		{"redis-server --version", "Redis server v=.*"},
		{"ls /usr/lib/systemd/system/sysinit.target.wants | grep ssl-cert", "first-boot-ssl-cert.service"},
		{"systemctl is-enabled redis-server.service redis.service || true", "(enabled|static|disabled|alias)\nalias"},
	} {
		if got := m.run("sh", "-c", c.command); !regexp.MustCompile(`^` + c.want + `$`).MatchString(got) {
			t.Errorf("%s: got %q, want %s", c.command, got, c.want)
		}
	}

	// The same image is made from nothing, in another order of names.
	fresh := *p
	fresh.cache = t.TempDir()
	if b := fresh.extend("vim", "cron", "ssl-cert", "python3-yaml", "redis-server"); b.Document.SHA256 != a.Document.SHA256 {
		t.Errorf("made again, the image has the SHA-256 %s, not %s", b.Document.SHA256, a.Document.SHA256)
	}
	p.refused(filepath.Dir(a.Image))
	// A later commit may have all packages that were added to an earlier one.
	if c := p.extend("systemd"); len(c.Document.Added) > 0 || len(c.Document.Notes) != 1 || !strings.HasPrefix(c.Document.Notes[0], "systemd is part of commit ") {
		t.Errorf("the image of a package of the commit: %+v", c.Document)
	}
}

// refused asks for packages that cannot be added. Each is refused with the reason, and nothing is published.
func (p *project) refused(dir string) {
	before, err := os.ReadDir(dir)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range []struct {
		packages string
		code     int
		want     string
	}{
		{"linux-image-amd64", 1, `linux-image-amd64 brings a kernel \(linux-image-[^)]*\), and the kernel and its initramfs are part of the commit`},
		{"kdump-tools", 1, `need options of the kernel's command line, which is part of the deployment:\n  /etc/default/grub.d/kdump-tools.cfg\nAdd them to a feature or to the flavour`},
		{"dracut-network", 1, `modules for the initramfs, which is part of the commit`},
		{"jq sysvinit-core", 1, `jq, sysvinit-core cannot be added to commit [0-9a-f]{12}: apt says:\n(.*\n)*.*sysvinit-core`},
		{"no-such-thing jq", 2, `has no package "no-such-thing"\.\n`},
	} {
		out, code := p.treewright(nil, append([]string{"--progress", "plain", "extend", flavourName}, strings.Fields(c.packages)...)...)
		if code != c.code || !regexp.MustCompile(c.want).MatchString(out) {
			p.t.Errorf("%s: exit %d, want %d with %s:\n%s", c.packages, code, c.code, c.want, out)
		}
	}
	after, err := os.ReadDir(dir)
	if err != nil || len(after) != len(before) {
		p.t.Errorf("%d files were published, now %d, %v", len(before), len(after), err)
	}
}
