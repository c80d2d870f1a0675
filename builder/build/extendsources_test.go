package build

import (
	"errors"
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
)

// TestExtendedSources: packages of an image, also those that come along, are from sources that are allowed.
func TestExtendedSources(t *testing.T) {
	added := &distro.Closure{Packages: []distro.Archived{
		{Package: distro.Package{Name: "jq"}},
		{Package: distro.Package{Name: "libjq1"}, Source: "security"},
		{Package: distro.Package{Name: "libonig5"}, Source: "acme"},
	}}
	wants := []compose.Want{{Want: distro.Want{Name: "jq"}}}
	for _, c := range []struct {
		sources []string
		want    string
	}{
		{nil, ""},
		{[]string{distro.MainSource, "security", "acme"}, ""},
		{[]string{"security", "acme"}, "jq would bring jq from the source main; only packages of these sources are allowed: security, acme"},
		{[]string{distro.MainSource}, "jq would bring libjq1 from the source security, libonig5 from the source acme; only packages of these sources are allowed: main"},
	} {
		err := (&extendedCommit{sources: c.sources}).allowed(added, wants)
		var failure *extend.Failure
		if got := ""; c.want != got && (!errors.As(err, &failure) || failure.Reason != extend.NotAllowed || failure.Text != c.want) || c.want == got && err != nil {
			t.Errorf("%v: %v", c.sources, err)
		}
	}
}

// TestExtendedThere: a package of the commit is noted. The same name of another architecture is another package.
func TestExtendedThere(t *testing.T) {
	have := []distro.Archived{
		{Package: distro.Package{Name: "bash", Arch: "amd64"}}, {Package: distro.Package{Name: "adduser", Arch: "all"}}, {Package: distro.Package{Name: "libonig5", Arch: "i386"}},
	}
	var wants []compose.Want
	for _, name := range []string{"adduser", "bash", "jq", "libonig5"} {
		wants = append(wants, compose.Want{Want: distro.Want{Name: name}})
	}
	spec := &compose.Spec{Flavour: &config.Flavour{}}
	spec.Flavour.Distribution.Arch = "amd64"
	c := &extendedCommit{sum: "0de10ffe2e41137", flavour: &Subject{Spec: spec}}
	c.noteThere(have, wants)
	want := []string{"adduser is part of commit 0de10ffe2e41: it is not added", "bash is part of commit 0de10ffe2e41: it is not added"}
	if !slices.Equal(c.notes, want) {
		t.Errorf("noted %q, want %q", c.notes, want)
	}
	if lacking := c.lacking(have, wants); len(lacking) != 2 || lacking[0].Name != "jq" || lacking[1].Name != "libonig5" {
		t.Errorf("it lacks %v", lacking)
	}
}
