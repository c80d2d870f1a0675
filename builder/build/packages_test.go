package build

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

// A build names the successor, too.
func TestExplainUnknownPackages(t *testing.T) {
	index, err := debian.ParseIndex([]byte("Package: python3.14\nVersion: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	gone := distro.Want{Name: "python3.11"}
	diags := explain(&distro.UnknownError{Sources: []distro.Source{{URL: "http://m", Suite: "testing"}}, Missing: []distro.Want{gone}, Index: index},
		[]compose.Want{{Want: distro.Want{Name: "bash"}}, {Want: distro.Want{Name: "python3.11"}, Range: hcl.Range{Filename: "x"}}}, hcl.Range{})
	if len(diags) != 1 || diags[0].Subject.Filename != "x" || !strings.HasSuffix(diags[0].Detail, `Its successor there is "python3.14".`) {
		t.Errorf("got %v", diags)
	}
}

// A package that is at hand, but not asked for, is told with what to write.
func TestExplainPackagesBeside(t *testing.T) {
	index, err := debian.ParseIndex(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := distro.Source{Name: distro.MainSource, URL: "http://m", Suite: "trixie", Components: []string{"main"}}
	other, backports := s, s
	other.Components, backports.Suite = []string{"non-free-firmware"}, "trixie-backports"
	firmware, newer := distro.Want{Name: "firmware-iwlwifi"}, distro.Want{Name: "newer"}
	diags := explain(&distro.UnknownError{Sources: []distro.Source{s}, Missing: []distro.Want{firmware, newer}, Index: index,
		Beside: map[string]distro.Source{"firmware-iwlwifi": other, "newer": backports}}, []compose.Want{{Want: firmware}, {Want: newer}}, hcl.Range{Filename: "x.hcl"})
	if len(diags) != 2 {
		t.Fatal(diags)
	}
	for i, want := range []string{
		`"firmware-iwlwifi" is in the component non-free-firmware of http://m trixie, which is not enabled: components = ["main", "non-free-firmware"]`,
		`"newer" is in http://m trixie-backports, which is not enabled: backports = true adds it to the distribution, and newer/trixie-backports takes the package from there.`,
	} {
		if diags[i].Detail != want {
			t.Errorf("got %s", diags[i].Detail)
		}
	}
}

// TestToolsHaveSecurityUpdates: tools of another architecture come from where those of
// the system's own would, but from nobody else's source.
func TestToolsHaveSecurityUpdates(t *testing.T) {
	d := config.Distribution{Family: "debian", Suite: "trixie", Arch: "arm64", Mirror: "http://m", Sources: []config.Source{{Name: "main"}, {Name: "security"}, {Name: "docker"}}}
	names := func(d config.Distribution) (out []string) {
		for _, s := range d.All() {
			out = append(out, s.Name)
		}
		return out
	}
	if other := otherSuite(d, "trixie", "amd64"); other.Arch != "amd64" || !slices.Equal(names(other), []string{"main", "security"}) {
		t.Errorf("%s, from %v", other.Arch, names(other))
	}
	if other := otherSuite(d, "testing", "arm64"); other.Suite != "testing" || !slices.Equal(names(other), []string{"main"}) {
		t.Errorf("%s, from %v", other.Suite, names(other))
	}
}
