package engine

import (
	"slices"
	"testing"
)

// TestManifestPackages: the manifest lists what is in the trees, whatever was
// resolved.
func TestManifestPackages(t *testing.T) {
	resolved := []ManifestPackage{{"a", "1", "amd64", "sum-a"}, {"b", "1", "all", "sum-b"}}
	m := &Manifest{Packages: resolved, Extensions: map[string][]ManifestPackage{"x": resolved, "y": resolved}}
	for _, facts := range []map[string]string{
		{"packages": "a 1 amd64\nb 2 all\nlocal 1:2-3 amd64"},
		{"extension": "x", "packages": "b 1 all\nmore 1 all"},
		nil,
	} {
		m.notePackages(facts)
	}
	if want := []ManifestPackage{{"a", "1", "amd64", "sum-a"}, {"b", "2", "all", ""}, {"local", "1:2-3", "amd64", ""}}; !slices.Equal(m.Packages, want) {
		t.Errorf("the system's packages: %+v", m.Packages)
	}
	if want := []ManifestPackage{{"b", "1", "all", "sum-b"}, {"more", "1", "all", ""}}; !slices.Equal(m.Extensions["x"], want) {
		t.Errorf("the extension's packages: %+v", m.Extensions["x"])
	}
	if !slices.Equal(m.Extensions["y"], resolved) {
		t.Errorf("of another extension: %+v", m.Extensions["y"])
	}
}
