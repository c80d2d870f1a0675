package bill

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/bom"
	"github.com/treewright/treewright/builder/bom/bomtest"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

func status(packages ...string) string {
	var b strings.Builder
	for _, p := range packages {
		f := strings.Fields(p)
		b.WriteString("Package: " + f[0] + "\nStatus: install ok " + f[2] + "\nArchitecture: amd64\nVersion: " + f[1] + "\n\n")
	}
	return b.String()
}

// put writes files of a tree: path and content by turns.
func put(t *testing.T, tree string, files ...string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(tree, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		treetest.Write(t, path, files[i+1])
	}
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// run carries the step out and returns both files and its warnings.
func run(t *testing.T, job *task.Task, p Params) (cdx, spdx string) {
	t.Helper()
	job.Distro, job.Log, job.Out, job.Epoch = debian.Family{}, &bytes.Buffer{}, t.TempDir(), 1700000000
	job.Step = &plan.Step{Params: Action.Step(p, plan.Step{}).Params, Action: Action.Name()}
	if err := Action.Do(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	cdx, spdx = treetest.Content(t, filepath.Join(job.Out, p.Name+CycloneDXEnding)), treetest.Content(t, filepath.Join(job.Out, p.Name+SPDXEnding))
	for schema, text := range map[string]string{bomtest.CycloneDX: cdx, bomtest.SPDX: spdx} {
		if err := bomtest.Check(t, schema, []byte(text)); err != nil {
			t.Error(err)
		}
	}
	return cdx, spdx
}

func purls(t *testing.T, cdx string) []string {
	t.Helper()
	_, purls, err := bom.ReadCycloneDX(strings.NewReader(cdx))
	if err != nil {
		t.Fatal(err)
	}
	return purls
}

const free = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: ISC\n"

func origin(name, version, vendor string) Origin {
	return Origin{Package: distro.Package{Name: name, Version: version, Arch: "amd64"}, SHA256: strings.Repeat("a", 64), Vendor: vendor}
}

func TestBillOfSystem(t *testing.T) {
	tree, files, built, generated := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	put(t, tree,
		"usr/lib/sysimage/dpkg/status", status("a 1 installed", "docker 2 installed", "mine 1:3 installed", "scripted 4 installed", "gone 5 config-files"),
		"usr/share/doc/a/copyright", free, "usr/share/doc/mine/copyright", "all rights reserved",
		"usr/lib/os-release", "VERSION_ID=\"abc\"\nVERSION_CODENAME=forky\n",
		"usr/etc/motd", "as a script left it", "usr/bin/tool", "program", "usr/etc/rendered", "rendered", "usr/etc/twice", "second")
	if err := os.Symlink("a", filepath.Join(tree, "usr/share/doc/docker")); err != nil {
		t.Fatal(err)
	}
	put(t, files, "file.include/etc/motd", "as it was", "file.include/etc/excluded", "x", "file.include/etc/twice", "first", "info.yaml", "x")
	put(t, built, "usr/bin/tool", "program")
	put(t, generated, "etc/rendered", "rendered", "etc/twice", "second")
	job := &task.Task{
		Inputs:  map[string]string{"tree": tree, "built-one": built},
		Sources: map[string]string{"features/one": files, "generated/two": generated},
	}
	cdx, spdx := run(t, job, Params{
		Name: "small", Vendor: "debian", Suite: "testing", Features: []string{"one", "two"},
		Resolved: []Origin{origin("a", "1", "debian"), origin("docker", "2", "docker"), {Package: distro.Package{Name: "mine", Version: "1:3", Arch: "amd64"}, Vendor: Local, Feature: "one"}, origin("gone", "5", "debian")},
	})
	want := []string{
		"pkg:deb/debian/a@1?arch=amd64&distro=forky", "pkg:deb/docker/docker@2?arch=amd64",
		"pkg:deb/local/mine@1%3A3?arch=amd64", "pkg:deb/unknown/scripted@4?arch=amd64",
	}
	if got := purls(t, cdx); !slices.Equal(got, want) {
		t.Errorf("packages %q, want %q", got, want)
	}
	for _, text := range []string{cdx, spdx} {
		for _, want := range []string{"/etc/motd\"", sum("as a script left it"), "/usr/bin/tool\"", sum("program"), sum("rendered"), sum("second"), "ISC", strings.Repeat("a", 64)} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
		for _, unwanted := range []string{"excluded", "gone", sum("as it was"), sum("first"), "info.yaml"} {
			if strings.Contains(text, unwanted) {
				t.Errorf("%s in\n%s", unwanted, text)
			}
		}
	}
	if n := strings.Count(cdx, `"ISC"`); n != 2 {
		t.Errorf("%d packages have the licence, want that of a and of the link to it", n)
	}
	if len(job.Warnings) > 0 {
		t.Errorf("warnings %q", job.Warnings)
	}
}

// TestBillWithoutDatabase: a feature may have removed the list of packages.
func TestBillWithoutDatabase(t *testing.T) {
	job := &task.Task{Inputs: map[string]string{"tree": t.TempDir()}}
	cdx, _ := run(t, job, Params{Name: "small", Vendor: "debian", Suite: "trixie", Resolved: []Origin{origin("a", "1", "debian")}})
	if got := purls(t, cdx); !slices.Equal(got, []string{"pkg:deb/debian/a@1?arch=amd64&distro=trixie"}) || len(job.Warnings) != 1 {
		t.Errorf("%q, warnings %q", got, job.Warnings)
	}
}

// TestBillOfExtension: it has what the extension adds, and no file that it leaves out.
func TestBillOfExtension(t *testing.T) {
	system, extended, made, files := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	put(t, system, "var/lib/dpkg/status", status("a 1 installed"))
	put(t, extended, "var/lib/dpkg/status", status("a 1 installed", "b 2 installed"), "usr/share/doc/b/copyright", free)
	put(t, made, "x/usr/bin/b", "b", "x/usr/share/factory/extension-x/etc/b.conf", "conf")
	put(t, files, "file.include/etc/b.conf", "conf", "file.include/srv/left-out", "x", "file.include/usr/bin/b", "b")
	cdx, _ := run(t, &task.Task{
		Inputs:  map[string]string{"tree": made, "extended": extended, "system": system},
		Sources: map[string]string{"features/sysext-x": files},
	}, Params{Name: "x", Vendor: "debian", Suite: "trixie", Features: []string{"sysext-x"}, Resolved: []Origin{origin("b", "2", "debian")}})
	if got := purls(t, cdx); !slices.Equal(got, []string{"pkg:deb/debian/b@2?arch=amd64&distro=trixie"}) {
		t.Errorf("packages %q", got)
	}
	for _, want := range []string{`"/etc/b.conf"`, `"/usr/bin/b"`, `"ISC"`} {
		if !strings.Contains(cdx, want) {
			t.Errorf("no %s in\n%s", want, cdx)
		}
	}
	if strings.Contains(cdx, "left-out") {
		t.Errorf("a file that the extension does not have:\n%s", cdx)
	}
}
