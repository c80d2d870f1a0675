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
	s := Family{}.ReadState(someStatus)
	if got, want := s.Installed, []distro.Package{{Name: "a", Version: "1", Arch: "amd64"}, {Name: "held", Version: "2:3-4", Arch: "all"}}; !slices.Equal(got, want) {
		t.Errorf("installed: %q, want %q", got, want)
	}
	if got, want := s.Unfinished, []string{"half 5 amd64: half-configured", "waits 6 amd64: triggers-awaited"}; !slices.Equal(got, want) {
		t.Errorf("unfinished: %q, want %q", got, want)
	}
}
