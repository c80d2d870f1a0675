package cli

import (
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/distro"
)

// TestWhyNamesTheFileOfAPackage: a package that a feature brings has no line that asks
// for it.
func TestWhyNamesTheFileOfAPackage(t *testing.T) {
	got := useText(build.PackageUse{
		Tree: "system", NeededBy: []string{"other"},
		Package: build.Chosen{Package: distro.Package{Name: "mine", Version: "2", Arch: "all"}, Source: "feature one"},
		File:    "features/one/file.debs/mine.deb",
	})
	want := "system: mine 2 (all) from feature one\n  brought by feature one as features/one/file.debs/mine.deb\n  needed by other\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
