package debian

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// FuzzParsePolicy: what is kept of the host's settings is, in a file of settings,
// the same to apt.
func FuzzParsePolicy(f *testing.F) {
	if _, err := exec.LookPath("apt-config"); err != nil {
		treetest.Skip(f, "needs the program apt-config")
	}
	f.Add("Acquire::http::Proxy\thttp://u:secret@proxy:3128/\nAcquire::Retries\t5\nDir\t/\n")
	f.Add("Acquire::http::Proxy\thttp://u:a\\b%41é@h/;#//\nacquire::https::proxy::h\tDIRECT\n")
	f.Add("Acquire::http::Timeout\ta\"b\nAcquire::http::Timeout\ta\tb\nAcquire::x y::Proxy\tz\n")
	f.Fuzz(func(t *testing.T, dump string) {
		p := parsePolicy(dump)
		path := filepath.Join(t.TempDir(), "apt.conf")
		if err := os.WriteFile(path, []byte(p.Conf()), 0o644); err != nil {
			t.Fatal(err)
		}
		c := exec.Command("apt-config", "dump", "--format", "%f\t%v%n")
		c.Env = []string{"APT_CONFIG=" + path, "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: apt does not read %q: %s", dump, p.Conf(), out)
		}
		for _, o := range p.Options {
			if !slices.ContainsFunc(strings.Split(string(out), "\n"), func(line string) bool { return strings.EqualFold(line, o[0]+"\t"+o[1]) }) {
				t.Errorf("%q: apt reads %q, and not %q:\n%s", dump, p.Conf(), o, out)
			}
		}
	})
}

// FuzzPrintedPackage: a package that apt would fetch has a name, a version and an architecture,
// from which apt would make the same file name.
func FuzzPrintedPackage(f *testing.F) {
	f.Add("'http://mirror/libfoo_2.0%2bdfsg-1~bpo1_i386.deb' libfoo_1%3a2.0+dfsg-1~bpo1_i386.deb 46320 SHA256:06d0")
	f.Add("'file:/srv/a b/./a_1_all.deb' a_1_all.deb 1 ")
	f.Add("'x' a_%3_all.deb 1 ")
	f.Add("'x' Odd_1_all.deb 1 ")
	f.Fuzz(func(t *testing.T, line string) {
		p, err := printedPackage(line)
		if err != nil {
			return
		}
		if p.Name == "" || p.Version == "" || p.Arch == "" || strings.ContainsAny(p.Name+p.Version+p.Arch, " \n'_%") {
			t.Errorf("%q: %q", line, p)
		}
		if name := p.Name + "_" + strings.ReplaceAll(p.Version, ":", "%3a") + "_" + p.Arch + "."; !strings.Contains(line, "' "+name) {
			t.Errorf("%q: %q, of which apt makes %s", line, p, name)
		}
	})
}
