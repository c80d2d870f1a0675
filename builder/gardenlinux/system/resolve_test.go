package system

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
)

// splitWords stands in for a shell: blanks separate words, "#" ends the line.
func splitWords(lines []config.Line) ([]config.Line, hcl.Diagnostics) {
	var out []config.Line
	for _, l := range lines {
		text, _, _ := strings.Cut(l.Text, "#")
		for _, w := range strings.Fields(text) {
			out = append(out, config.Line{Text: w, Range: l.Range})
		}
	}
	return out, nil
}

func resolve(t *testing.T, p *config.Project, asked ...string) (*System, hcl.Diagnostics) {
	t.Helper()
	g, diags := compose.NewGraph(p.SortedFeatures())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	sel, err := g.Select(asked, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &config.Flavour{Name: sel.CanonicalName + "-amd64-forky", Distribution: config.Distribution{Suite: "forky", Arch: "amd64"}}
	return Resolve(p, f, sel, Name{CName: f.Name, Version: "forky", Commit: "0123456789abcdef", Timestamp: "7"}, Features{Expand: splitWords})
}

func TestPackages(t *testing.T) {
	p := configtest.Project(t, "base platform\nextra element +base")
	p.Features["base"].Extra = &tree.Parts{Fstab: true}
	p.Features["base"].Packages = configtest.Lines("base/pkg.include", "systemd", "vim nano # two", "doc")
	p.Features["extra"].Packages = configtest.Lines("extra/pkg.include", "curl=8.1", "doc", "vim")
	p.Features["extra"].ExcludePackages = configtest.Lines("extra/pkg.exclude", "doc")
	s, diags := resolve(t, p, "extra")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var got []string
	for _, w := range s.Packages {
		got = append(got, w.Name+"="+w.Version+"@"+w.Range.Filename)
	}
	// The Garden Linux builder would keep doc: it takes one mention away for each exclude.
	want := "systemd=@base/pkg.include vim=@base/pkg.include nano=@base/pkg.include curl=8.1@extra/pkg.include"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestFaults(t *testing.T) {
	p := configtest.Project(t, "base platform\nrepo element +base stage=commit\nother element")
	p.Features["base"].Extra = &tree.Parts{Fstab: true}
	p.Features["base"].Packages = configtest.Lines("base/pkg.include", "fine", "Not/One")
	p.Features["base"].Faults = hcl.Diagnostics{fault("Script not executable", "", configtest.Line("base/exec.late", 1))}
	p.Features["other"].Faults = hcl.Diagnostics{fault("Of no concern", "", configtest.Line("other/exec.late", 1))}
	_, diags := resolve(t, p, "repo")
	var got []string
	for _, d := range diags {
		got = append(got, config.PlaceOf(*d.Subject)+" "+d.Summary)
	}
	slices.Sort(got)
	want := "base/exec.late:1 Script not executable|base/pkg.include:2 Invalid package name|tree:2 Feature for flavours only"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

func TestEnvironment(t *testing.T) {
	p := configtest.Project(t, "kvm platform +base\nbase element\n_dev flag")
	p.Features["kvm"].Extra = &tree.Parts{Fstab: true}
	s, diags := resolve(t, p, "kvm", "_dev")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var got []string
	env := s.Environment("base")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		got = append(got, strings.TrimPrefix(name, "BUILDER_")+"="+env[name])
	}
	want := "ARCH=amd64 CNAME=kvm_dev-amd64-forky CNAME_BASE=kvm_dev COMMIT=0123456789abcdef FEATURES=base,kvm,_dev" +
		" FEATURES_ELEMENTS=base FEATURES_FLAGS=_dev FEATURES_PLATFORMS=kvm TIMESTAMP=7 VERSION=forky"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if base := s.Name.Base(); base != "kvm_dev-amd64-forky-01234567" {
		t.Errorf("artifacts are called %s", base)
	}
	if base := (Name{CName: "a-amd64-x", Commit: "local"}).Base(); base != "a-amd64-x-local" {
		t.Errorf("artifacts are called %s", base)
	}
}

func TestLayouts(t *testing.T) {
	p := configtest.Project(t, "kvm platform +base\nbase element")
	for name, f := range p.Features {
		f.Extra, f.Dir = &tree.Parts{Fstab: true}, "features/"+name
	}
	s, diags := resolve(t, p, "kvm")
	if s == nil || len(diags) != 1 || diags[0].Severity != hcl.DiagWarning || diags[0].Subject.Filename != "features/kvm/fstab" {
		t.Errorf("got %v, %v", s, diags)
	}
}
