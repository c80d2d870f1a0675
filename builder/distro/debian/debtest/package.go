package debtest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/treetest"
)

// Package is a package of an archive.
type Package struct {
	Name string
	// Version is "1" and Arch "all" if they are empty.
	Version, Arch string
	// Fields are further fields of the control file: "Depends", "Essential", "Section".
	Fields map[string]string
	// Files are the contents of its files, by absolute path. Those that begin with
	// "#!" can be executed.
	Files map[string]string
	// Control are further control files: "postinst", "templates", "conffiles".
	Control map[string]string
}

// Stubs are packages of those names without files.
func Stubs(names ...string) []Package {
	packages := make([]Package, len(names))
	for i, name := range names {
		packages[i] = Package{Name: name}
	}
	return packages
}

// Base are the packages without which no archive can be resolved: a required one,
// which is there but has no content, and apt.
func Base() []Package {
	return []Package{
		{Name: "base-files", Fields: map[string]string{"Essential": "yes", "Priority": "required"}},
		{Name: "apt", Fields: map[string]string{"Priority": "important"}},
	}
}

func (p Package) version() string {
	if p.Version == "" {
		return "1"
	}
	return p.Version
}

func (p Package) arch() string {
	if p.Arch == "" {
		return "all"
	}
	return p.Arch
}

// FileName is the usual name of the package's file, NAME_VERSION_ARCH.deb, without
// the epoch of the version.
func (p Package) FileName() string {
	version := p.version()
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	return p.Name + "_" + version + "_" + p.arch() + ".deb"
}

// paragraph is the package's control file.
func (p Package) paragraph() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: Tests <tests@example.org>\n", p.Name, p.version(), p.arch())
	for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
		fmt.Fprintf(&b, "%s: %s\n", name, p.Fields[name])
	}
	fmt.Fprintf(&b, "Description: %s\n made by a test\n", p.Name)
	return b.String()
}

// Build makes the package as a file in a directory, and returns its path.
func (p Package) Build(t testing.TB, dir string) string {
	t.Helper()
	need(t, "dpkg-deb")
	tree, err := os.MkdirTemp("", "debtest-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tree)
	if err := os.Chmod(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(tree, "DEBIAN/control"), p.paragraph())
	for name, content := range p.Control {
		write(t, filepath.Join(tree, "DEBIAN", name), content)
	}
	for name, content := range p.Files {
		write(t, filepath.Join(tree, name), content)
	}
	file := filepath.Join(dir, p.FileName())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	env := sandbox.HostEnv()
	env["SOURCE_DATE_EPOCH"] = "1750000000"
	run(t, sandbox.Command{Argv: []string{"dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, file}, Env: env})
	return file
}

// write writes a file with the directories above it.
func write(t testing.TB, file, content string) {
	t.Helper()
	mode := os.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// need skips a test on a machine without a program.
func need(t testing.TB, program string) {
	t.Helper()
	if !sandbox.Installed(program) {
		treetest.Skip(t, "needs %s: this machine does not have it", program)
	}
}

// run runs a program that has to succeed, and returns what it says.
func run(t testing.TB, c sandbox.Command) []byte {
	t.Helper()
	out, err := c.Output(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return out
}
