//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// oddName is a directory's name that apt, mmdebstrap, overlayfs and shells have
// to be kept from reading.
const oddName = `my tree, with: odd "names" \ and [so] on`

// localPackage is a script that installs a package of no archive, and notes
// what it was told the system is called.
const localPackage = `#!/bin/bash
set -euo pipefail
mkdir -p /tmp/local/DEBIAN /tmp/local/usr/share/local-thing
echo here > /tmp/local/usr/share/local-thing/file
cat > /tmp/local/DEBIAN/control <<E
Package: local-thing
Version: 1.0
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: what no archive has
E
dpkg-deb --build --root-owner-group /tmp/local /tmp/local.deb
dpkg --install /tmp/local.deb
echo "$TREEWRIGHT_VERSION_ID" > /usr/share/planned-version
`

// TestOddTree builds in a directory with such a name, with a cache there that has
// nothing but downloads, from features that are mostly links. What is looked at is
// on the machine.
func TestOddTree(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	odd := filepath.Join(t.TempDir(), oddName)
	if err := os.Rename(p.dir, odd); err != nil {
		t.Fatal(err)
	}
	p.dir, p.cache = odd, filepath.Join(odd, ".cache")
	for _, dir := range []string{filepath.Join(p.dir, "elsewhere"), filepath.Join(sharedCache, "packages")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.link(".cache/packages", filepath.Join(sharedCache, "packages"))
	if err := os.Rename(filepath.Join(p.dir, "features/base"), filepath.Join(p.dir, "elsewhere/base")); err != nil {
		t.Fatal(err)
	}
	p.link("features/base", "../elsewhere/base")
	p.link("features/odd/info.yaml", "../../elsewhere/element.yaml")
	p.link("features/odd/file.include", "../../elsewhere/files")
	p.link("features/odd/exec.config", "../../elsewhere/script")
	p.write("elsewhere/element.yaml", "type: element\n")
	p.write("elsewhere/script", localPackage)
	p.write("elsewhere/files/usr/lib/ssl/certs/odd.pem", "certificate\n")
	p.write("elsewhere/files/usr/lib/ssl/certs/excluded.pem", "certificate\n")
	p.write(`elsewhere/files/usr/share/a "file" \ [of] its, own: kind`, "content\n")
	p.write("features/odd/file.include.stat", "root mail 0640 /usr/lib/ssl/certs/odd.pem\n")
	p.write("features/odd/file.exclude", "/usr/lib/ssl/certs/excl*.pem\n")
	if err := os.Chmod(filepath.Join(p.dir, "elsewhere/script"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("flavours/e2e.hcl", strings.Replace(minimal, `"ostreeRepo"]`, `"ostreeRepo", "odd"]`, 1))

	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code != 0 {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	if want := "exec.config of odd installed local-thing 1.0 (all), which was not resolved"; !strings.Contains(out, want) {
		t.Errorf("the build does not say %q:\n%s", want, out)
	}
	made := p.manifest()
	p.listsLocalThing(made.Commit)

	m := newMachine(t, p, p.output("small-repo-amd64"), made.Commit)
	m.boot()
	for argv, want := range map[string]string{
		"stat -c %a:%U:%G /etc/ssl/certs/odd.pem":                  "640:root:mail",
		"readlink /usr/lib/ssl/certs":                              "/etc/ssl/certs",
		"ls /etc/ssl/certs/odd.pem /etc/ssl/certs/excluded.pem -1": "",
		"cat /usr/share/local-thing/file":                          "here",
		"dpkg-query --show local-thing":                            "local-thing\t1.0",
	} {
		if got, err := m.try(strings.Fields(argv)...); want == "" {
			if err == nil {
				t.Errorf("%s: what was excluded is there: %s", argv, got)
			}
		} else if strings.TrimSuffix(got, "\n") != want {
			t.Errorf("%s says %q, not %q", argv, got, want)
		}
	}
	if got := m.run("cat", `/usr/share/a "file" \ [of] its, own: kind`); got != "content" {
		t.Errorf("the file with the odd name holds %q", got)
	}
	planned := m.run("cat", "/usr/share/planned-version")
	if got := m.run("sh", "-c", ". /etc/os-release; echo $VERSION_ID"); got == planned || len(got) != len(planned) {
		t.Errorf("VERSION_ID is %q; of what was resolved it is %q", got, planned)
	}
	p.throughLinks()
}

// listsLocalThing: manifest and commit list the package of no archive.
func (p *project) listsLocalThing(commit string) {
	p.t.Helper()
	var listed struct {
		Packages []struct{ Name, Version, SHA256 string }
	}
	raw, err := os.ReadFile(p.private("manifest.json"))
	if err == nil {
		err = json.Unmarshal(raw, &listed)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	found := 0
	for _, pkg := range listed.Packages {
		if (pkg.Name == "local-thing") != (pkg.SHA256 == "") {
			p.t.Errorf("the manifest lists %+v", pkg)
		}
		if pkg.Name == "local-thing" {
			found++
		}
	}
	if found != 1 {
		p.t.Errorf("the manifest lists local-thing %d times", found)
	}
	object, err := os.ReadFile(filepath.Join(p.output("small-repo-amd64"), "objects", commit[:2], commit[2:]+".commit"))
	if err != nil || !bytes.Contains(object, []byte("local-thing 1.0")) {
		p.t.Errorf("the commit does not list local-thing, error %v", err)
	}
}

// throughLinks: an edit of what a link leads to is seen, and a link that leads
// out of the tree is an error with its place.
func (p *project) throughLinks() {
	p.t.Helper()
	p.write("elsewhere/script", localPackage+"true\n")
	out, code := p.treewright(nil, "plan", flavourName)
	if code != 0 || !strings.Contains(out, "features/odd changed") {
		p.t.Errorf("exit %d, and an edit through a link is not seen:\n%s", code, out)
	}
	p.link("features/odd/exec.late", "/bin/true")
	out, code = p.treewright(nil, "check")
	for _, want := range []string{"features/odd/exec.late", `It points to "/bin/true", which is not in this tree`} {
		if code != 3 || !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			p.t.Errorf("exit %d, without %q:\n%s", code, want, out)
		}
	}
}

// link makes a symbolic link in the tree.
func (p *project) link(name, target string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), fs.FileMode(0o755)); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		p.t.Fatal(err)
	}
}
