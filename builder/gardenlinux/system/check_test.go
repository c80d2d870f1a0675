package system

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
)

// list gives a feature a package list, one line for each text.
func list(feature, name string, lines ...string) []config.Line {
	var out []config.Line
	for i, text := range lines {
		at := hcl.Range{Filename: "features/" + feature + "/" + name, Start: hcl.Pos{Line: i + 1}}
		out = append(out, config.Line{Text: text, Range: at})
	}
	return out
}

func include(f string, lines ...string) []config.Line { return list(f, "pkg.include", lines...) }
func exclude(f string, lines ...string) []config.Line { return list(f, "pkg.exclude", lines...) }

func TestCheck(t *testing.T) {
	const features = `
		base element +lib
		lib element
		kvm platform +base
		_x flag
	`
	tests := []struct {
		name     string
		change   func(p map[string]*config.Feature)
		want     []string // severity, place, and part of what is said
		packages string
	}{
		{"nothing", func(p map[string]*config.Feature) {}, nil, ""},
		{"excluded once, included twice", func(p map[string]*config.Feature) {
			p["base"].Packages = include("base", "foo", "bar")
			p["lib"].Packages = include("lib", "foo")
			p["_x"].ExcludePackages = exclude("_x", "foo", "bar")
		}, []string{`warning features/_x/pkg.exclude:1 Package "foo" is excluded here and included more than once (features/lib/pkg.include:1, features/base/pkg.include:1)`}, "foo bar foo"},
		{"excluded as often as included", func(p map[string]*config.Feature) {
			p["base"].Packages = include("base", "foo")
			p["lib"].Packages = include("lib", "foo")
			p["_x"].ExcludePackages = exclude("_x", "foo", "foo")
		}, nil, "foo foo"},
		{"excluded without the version", func(p map[string]*config.Feature) {
			p["base"].Packages = include("base", "foo=1")
			p["base"].ExcludePackages = exclude("base", "foo")
		}, []string{`warning features/base/pkg.exclude:1 Package "foo"`}, "foo"},
		{"excluded with the version", func(p map[string]*config.Feature) {
			p["base"].Packages = include("base", "foo=1")
			p["base"].ExcludePackages = exclude("base", "foo=1")
		}, nil, "foo"},
		{"several words", func(p map[string]*config.Feature) {
			p["base"].Packages = include("base", "foo", "bar baz qux", "last")
			p["lib"].ExcludePackages = exclude("lib", "a1 b1")
		}, []string{"warning features/base/pkg.include:2 several words", "warning features/lib/pkg.exclude:1 several words"}, "foo bar baz qux last"},
		{"no package", func(p map[string]*config.Feature) {
			p["base"].Packages = include("base", "Foo")
		}, []string{`error features/base/pkg.include:1 "Foo"`}, ""},
		{"two versions", func(p map[string]*config.Feature) {
			p["base"].Packages = include("base", "foo=1")
			p["lib"].Packages = include("lib", "foo=2")
		}, []string{`error features/base/pkg.include:1 requested in version 1 here`}, "foo foo"},
		{"layouts", func(p map[string]*config.Feature) {
			tree.PartsOf(p["base"]).Fstab, tree.PartsOf(p["lib"]).Fstab = true, true
		}, []string{"warning features/base/fstab:1 The fstab of base replaces that of lib"}, ""},
		{"scripts for one artifact", func(p map[string]*config.Feature) {
			tree.PartsOf(p["base"]).Images = []tree.ImageScript{{File: "image.x", Makes: "x", Takes: "tar", Range: list("base", "image.x", "")[0].Range}}
			tree.PartsOf(p["lib"]).Images = []tree.ImageScript{{File: "convert.x", Makes: "x", Takes: "tar", Range: list("lib", "convert.x", "")[0].Range}}
		}, []string{"error features/base/image.x:1 image.x of feature \"base\" makes .x"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := configtest.Project(t, features)
			for name, f := range p.Features {
				f.Dir = "features/" + name
				f.Extra = &tree.Parts{FstabMod: name == "kvm"} // so that there is a layout
			}
			test.change(p.Features)
			g, diags := compose.NewGraph(p.SortedFeatures())
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			var tried []Tried
			for _, asked := range []string{"kvm _x", "kvm", "base", "lib", "_x"} {
				s, err := g.Select(strings.Fields(asked), nil)
				if err != nil {
					t.Fatal(err)
				}
				tried = append(tried, Tried{Selection: s, Name: asked, Published: asked == "kvm _x"})
			}
			wants, diags := Check(p, tried, splitWords)
			var names []string
			for _, w := range wants {
				names = append(names, w.Name)
			}
			if got := strings.Join(names, " "); got != test.packages {
				t.Errorf("packages %q, want %q", got, test.packages)
			}
			checkSaid(t, diags, test.want)
		})
	}
}

func checkSaid(t *testing.T, diags hcl.Diagnostics, want []string) {
	t.Helper()
	for i, d := range diags {
		severity := "error"
		if d.Severity == hcl.DiagWarning {
			severity = "warning"
		}
		got := fmt.Sprintf("%s %s", severity, config.PlaceOf(*d.Subject))
		if i >= len(want) || !strings.HasPrefix(want[i], got+" ") || !strings.Contains(d.Detail, strings.TrimPrefix(want[i], got+" ")) {
			t.Errorf("unexpected: %s %s", got, d.Detail)
		}
	}
	if len(diags) < len(want) {
		t.Errorf("nothing says %q", want[len(diags):])
	}
}

// What a feature alone lacks others may bring; a published flavour has all.
func TestCheckOfPartsAlone(t *testing.T) {
	p := configtest.Project(t, "kvm platform\n_x flag\n_y flag")
	p.Features["_x"].Extra = &tree.Parts{Images: []tree.ImageScript{{File: "convert.a~b", Makes: "a", Takes: "b"}}}
	g, _ := compose.NewGraph(p.SortedFeatures())
	for _, published := range []bool{false, true} {
		var tried []Tried
		for _, name := range []string{"kvm", "_x"} {
			s, err := g.Select([]string{name}, nil)
			if err != nil {
				t.Fatal(err)
			}
			tried = append(tried, Tried{Selection: s, Name: name, Published: published})
		}
		_, diags := Check(p, tried, splitWords)
		var said []string
		for _, d := range diags {
			said = append(said, d.Summary)
		}
		want := []string(nil)
		if published {
			want = []string{noLayout, noMaker}
		}
		if !slices.Equal(said, want) {
			t.Errorf("published %v: got %q, want %q", published, said, want)
		}
	}
}
