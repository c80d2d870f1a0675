//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// example is a copy of a tree below examples/ far from the clone, which the program
// builds alone: without the clone and without Go.
type example struct {
	t       *testing.T
	dir     string
	program string
}

func newExample(t *testing.T, name string) *example {
	t.Helper()
	p := newProject(t)
	e := &example{t, filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "treewright")}
	p.treewright(nil, "version") // compiles the program
	for from, to := range map[string]string{filepath.Join(p.root, "examples", name): e.dir, filepath.Join(p.root, ".cache/bin/treewright"): e.program} {
		if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return e
}

// treewright runs the program in the tree, and returns what it wrote to each stream.
func (e *example) treewright(args ...string) (out, errs string) {
	e.t.Helper()
	out, errs, code := e.try(args...)
	if code != 0 {
		e.t.Fatalf("%v: exit %d\n%s%s", args, code, out, errs)
	}
	return out, errs
}

// try is treewright for a command that may fail.
func (e *example) try(args ...string) (out, errs string, code int) {
	e.t.Helper()
	cmd := exec.Command(e.program, append([]string{"--cache", sharedCache}, args...)...)
	cmd.Dir, cmd.Env = e.dir, append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	var o, s bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &s
	start := time.Now()
	err := cmd.Run()
	e.t.Logf("treewright %s: %s", strings.Join(args, " "), time.Since(start).Round(100*time.Millisecond))
	if err != nil && cmd.ProcessState == nil {
		e.t.Fatal(err)
	}
	return o.String(), s.String(), cmd.ProcessState.ExitCode()
}

// installed is a package of a manifest.
type installed struct{ Name, Version, Source string }

// built is what a build of the tree left: its output, and its manifest.
func (e *example) built(flavour string) (output string, m manifest, packages map[string]installed) {
	e.t.Helper()
	raw, err := os.ReadFile(filepath.Join(e.dir, ".build/.private", flavour, "manifest.json"))
	if err != nil {
		e.t.Fatal(err)
	}
	var all struct{ Packages []installed }
	if err := json.Unmarshal(raw, &m); err != nil {
		e.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		e.t.Fatal(err)
	}
	packages = map[string]installed{}
	for _, p := range all.Packages {
		packages[p.Name] = p
	}
	return filepath.Join(e.dir, ".build", flavour), m, packages
}

// machine is a machine with the commit of a build.
func (e *example) machine(flavour, repo string) *machine {
	output, m, _ := e.built(flavour)
	return newMachine(e.t, &project{t: e.t, dir: e.dir, cache: sharedCache, flavour: flavour}, filepath.Join(output, repo), m.Commit)
}

// TestExampleNginx builds a web server on Debian stable, with its security updates
// and an image.
func TestExampleNginx(t *testing.T) {
	t.Parallel()
	e := newExample(t, "nginx")
	e.treewright("--progress", "plain", "nginx")
	output, _, packages := e.built("nginx")
	if _, err := os.Stat(filepath.Join(output, "nginx.raw")); err != nil {
		t.Error(err)
	}
	if p := packages["nginx-light"]; p.Version == "" {
		t.Error("nginx-light is not in the manifest")
	}
	from := map[string]int{}
	for _, p := range packages {
		from[p.Source]++
		if strings.HasPrefix(p.Name, "grub") {
			t.Errorf("the system has %s", p.Name)
		}
	}
	if from["main"] == 0 || from["security"] == 0 {
		t.Errorf("packages by source: %v", from)
	}
	m := e.machine("nginx", "nginx-repo-amd64")
	m.boot()
	m.run("nginx", "-t", "-q")
	if got := m.run("cat", "/srv/www/index.html"); !strings.Contains(got, "It works") {
		t.Errorf("/srv/www/index.html is %q", got)
	}
	if sources := m.run("sh", "-c", "cat /etc/apt/sources.list.d/*"); !strings.Contains(sources, "trixie-security") {
		t.Errorf("the machine's apt has the sources\n%s", sources)
	}
}

// TestExampleKiosk builds a terminal from templates and content of its flavour.
func TestExampleKiosk(t *testing.T) {
	t.Parallel()
	e := newExample(t, "kiosk")
	e.treewright("--progress", "plain", "kiosk")
	m := e.machine("kiosk", "kiosk-repo-amd64")
	m.boot()
	var page struct {
		Title string
		Lines []struct{ Text, Colour string }
	}
	if err := json.Unmarshal([]byte(m.run("cat", "/usr/share/kiosk/page.json")), &page); err != nil || page.Title != "Welcome to the lobby" || len(page.Lines) != 2 || page.Lines[1].Colour != "yellow" {
		t.Errorf("the page is %+v: %v", page, err)
	}
	m.run("sh", "-n", "/usr/lib/kiosk/show")
	for command, want := range map[string]string{
		"id --name --groups ada":  "ada sudo lobby",
		"cat /etc/motd":           "Lobby. Call 1234 if this screen is dark.",
		"readlink /etc/localtime": "Europe/Berlin",
		"cat /etc/locale.conf":    "LANG=de_DE.UTF-8",
		"locale -a":               "de_DE.utf8",
		"cat /etc/hostname":       "lobby",
		"readlink /etc/systemd/system/getty@tty1.service": "/dev/null",
		"systemctl is-enabled kiosk":                      "enabled",
		"getent passwd kiosk":                             "nologin",
	} {
		if got := m.run(strings.Fields(command)...); !strings.Contains(got, want) {
			t.Errorf("%s: %q, not %q", command, got, want)
		}
	}
}

// TestExampleVendor builds a system with a third party's packages, from an archive
// that the test makes and signs and that asks for a password; then one like it whose
// script gets a secret.
func TestExampleVendor(t *testing.T) {
	// Not beside others: all that is new in the shared cache is searched.
	archive := debtest.New(t, &debtest.Suite{Name: "stable", Packages: []debtest.Package{
		{Name: "vendor-agent", Version: "2", Fields: map[string]string{"Depends": "vendor-common, libc6"}, Files: map[string]string{"/usr/bin/vendor-agent": "#!/bin/sh\necho agent\n"}},
		{Name: "vendor-common", Version: "2"},
		// Older than Debian's, and wanted all the same.
		{Name: "hello", Version: "1.0-vendor", Files: map[string]string{"/usr/bin/hello": "#!/bin/sh\necho vendor\n"}},
		// Newer than Debian's, and not wanted from here.
		{Name: "bash", Version: "99"},
	}})
	mirror := archive.Serve(t)
	e := newExample(t, "vendor")
	s := newSecrets(e, mirror)
	key, err := os.ReadFile(archive.Key.Armoured)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(e.dir, "keys/vendor.asc"), key, 0o644); err != nil {
		t.Fatal(err)
	}
	s.askedFor()
	if plan, told := s.run("plan", "vendor"); !strings.Contains(plan+told, "vendor") {
		t.Errorf("the plan says nothing of the source:\n%s%s", plan, told)
	}
	s.run("vendor")
	_, _, packages := e.built("vendor")
	for name, want := range map[string]installed{
		"vendor-agent":  {"vendor-agent", "2", "vendor"},
		"vendor-common": {"vendor-common", "2", "vendor"},
		"hello":         {"hello", "1.0-vendor", "vendor"},
		"greeting":      {"greeting", "1.0", "feature greeting"},
	} {
		if packages[name] != want {
			t.Errorf("%s: %+v, not %+v", name, packages[name], want)
		}
	}
	if b := packages["bash"]; b.Version == "99" || b.Source == "vendor" {
		t.Errorf("bash is %+v", b)
	}
	m := e.machine("vendor", "vendor-repo-amd64")
	m.boot()
	for program, want := range map[string]string{"vendor-agent": "agent", "hello": "vendor", "greeting": "hello"} {
		if got := m.run(program); got != want {
			t.Errorf("%s says %q", program, got)
		}
	}
	s.onMachine(m, key)
	s.lent()
	s.kept()
}
