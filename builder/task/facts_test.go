package task

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

// TestPackagesAreNoted: what a step found is read back, with whose they are.
func TestPackagesAreNoted(t *testing.T) {
	for _, extension := range []string{"", "debug"} {
		for _, packages := range [][]distro.Package{nil, {{Name: "dash", Version: "1"}}} {
			noted := &Task{Facts: map[string]string{}}
			noted.NotePackages(extension, packages)
			whose, found := PackagesOf(noted.Facts)
			if whose != extension || found == nil || !slices.Equal(found, packages) {
				t.Errorf("%q, %v: got %q, %v", extension, packages, whose, found)
			}
		}
	}
	if whose, found := PackagesOf(map[string]string{"extension": "x"}); whose != "" || found != nil {
		t.Errorf("a step that noted nothing has %q, %v", whose, found)
	}
}
