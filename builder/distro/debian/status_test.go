package debian

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

const someStatus = `Package: a
Status: install ok installed
Architecture: amd64
Version: 1

Package: held
Status: hold ok installed
Description: x
 Status: install ok unpacked
Architecture: all
Version: 2:3-4

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: half
Status: install ok half-configured
Architecture: amd64
Version: 5

Package: waits
Status: install ok triggers-awaited
Architecture: amd64
Version: 6
`

func TestStatus(t *testing.T) {
	if got, want := StatusLines(someStatus), []string{"a 1 amd64", "held 2:3-4 all"}; !slices.Equal(got, want) {
		t.Errorf("installed: %q, want %q", got, want)
	}
	if got, want := Unfinished(someStatus), []string{"half 5 amd64: half-configured", "waits 6 amd64: triggers-awaited"}; !slices.Equal(got, want) {
		t.Errorf("unfinished: %q, want %q", got, want)
	}
}

func TestChanges(t *testing.T) {
	before := []string{"gone 1 amd64", "new-version 1 amd64", "other-arch 1 all", "same 1 all", "two 1 amd64"}
	after := []string{"added 1 all", "new-version 2 amd64", "other-arch 1 amd64", "same 1 all", "two 1 amd64", "two 1 i386"}
	var got []string
	for _, c := range distro.Changes(before, after) {
		got = append(got, c.String())
	}
	want := []string{
		"installed added 1 (all)", "removed gone 1 (amd64)", "replaced new-version 1 (amd64) by 2 (amd64)",
		"replaced other-arch 1 (all) by 1 (amd64)", "installed two 1 (i386)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
