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

// FuzzParseSimulation: no package that apt would install is left out, and each has
// a name, a version and an architecture.
func FuzzParseSimulation(f *testing.F) {
	f.Add("Inst gcc-14-base (14.2.0-19 Debian:testing [amd64])\nInst libfoo:i386 (1:2.0+dfsg-1~bpo1 Debian:testing [i386]) []\nConf a (1)\n")
	f.Add("Inst dpkg [1.22.0] (1.23.11 Debian:testing [amd64])\r\nRemv old [1.0]\nInst\n")
	f.Add("Inst Odd (1 x [all])")
	f.Add("Inst a ((1 x [all])")
	f.Fuzz(func(t *testing.T, out string) {
		insts, err := parseSimulation(out)
		if err != nil {
			return
		}
		lines := 0
		for line := range strings.SplitSeq(out, "\n") {
			if strings.HasPrefix(line, "Inst ") {
				lines++
			}
		}
		if len(insts) != lines {
			t.Errorf("%q: %d of %d packages", out, len(insts), lines)
		}
		for _, inst := range insts {
			if inst.Name == "" || inst.Version == "" || inst.Arch == "" || strings.ContainsAny(inst.Name+inst.Version+inst.Arch, " \n()[]") {
				t.Errorf("%q: %q", out, inst)
			}
		}
	})
}
