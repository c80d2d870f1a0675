package build_test

import (
	"testing"

	"github.com/treewright/treewright/builder/build"
)

// resolved opens a tree that has no faults, and resolves one of its flavours.
func resolved(t *testing.T, o build.Options, flavour string) (*build.Builder, *build.Subject) {
	t.Helper()
	b, err := build.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Resolve(t.Context(), project, flavour)
	if err != nil {
		t.Fatal(err)
	}
	return b, s
}
