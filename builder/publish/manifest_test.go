package publish

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/task"
)

// TestManifestPackages: the manifest lists what is in the trees, whatever was
// resolved.
func TestManifestPackages(t *testing.T) {
	pkg := func(name, version, arch string) distro.Package {
		return distro.Package{Name: name, Version: version, Arch: arch}
	}
	noted := func(extension string, packages ...distro.Package) map[string]string {
		step := task.Task{Facts: map[string]string{}}
		step.NotePackages(extension, packages)
		return step.Facts
	}
	resolved := []ManifestPackage{{pkg("a", "1", "amd64"), "sum-a", "main"}, {pkg("b", "1", "all"), "sum-b", "other"}}
	m := &Manifest{Packages: resolved, Extensions: map[string][]ManifestPackage{"x": resolved, "y": resolved}}
	for _, facts := range []map[string]string{
		noted("", pkg("a", "1", "amd64"), pkg("b", "2", "all"), pkg("local", "1:2-3", "amd64")),
		noted("x", pkg("b", "1", "all"), pkg("more", "1", "all")),
		nil,
	} {
		m.notePackages(facts)
	}
	if want := []ManifestPackage{{pkg("a", "1", "amd64"), "sum-a", "main"}, {pkg("b", "2", "all"), "", ""}, {pkg("local", "1:2-3", "amd64"), "", ""}}; !slices.Equal(m.Packages, want) {
		t.Errorf("the system's packages: %+v", m.Packages)
	}
	if want := []ManifestPackage{{pkg("b", "1", "all"), "sum-b", "other"}, {pkg("more", "1", "all"), "", ""}}; !slices.Equal(m.Extensions["x"], want) {
		t.Errorf("the extension's packages: %+v", m.Extensions["x"])
	}
	if !slices.Equal(m.Extensions["y"], resolved) {
		t.Errorf("of another extension: %+v", m.Extensions["y"])
	}
}
