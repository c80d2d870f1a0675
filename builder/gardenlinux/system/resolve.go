package system

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
)

// Name is what a cname is built as: the Garden Linux builder has a version and a
// commit in the names of what it makes.
type Name struct {
	// CName is FEATURES-ARCH-VERSION, the features in canonical order.
	CName string
	// Version is the archive's suite; Commit and Timestamp are what the tree
	// says of itself: any text, and seconds since 1970.
	Version, Commit, Timestamp string
}

// shortCommit is how much of a commit names have, in bytes.
const shortCommit = 8

// Base is what the names of artifacts begin with: CNAME-ARCH-VERSION-COMMIT8.
func (n Name) Base() string {
	return n.CName + "-" + n.Commit[:min(len(n.Commit), shortCommit)]
}

// System is a cname worked out.
type System struct {
	*compose.Spec
	Name Name
	// Artifacts are what it makes, each after what it is made of.
	Artifacts []Artifact
}

// Expand turns lines of package lists into one word a line, as a shell does.
type Expand func([]config.Line) ([]config.Line, hcl.Diagnostics)

// Features is what the features of a tree count on.
type Features struct {
	// Expand is who expands their package lists; nil if they are written for
	// flavours.
	Expand Expand
	// Suite says that scripts are told of the suite and of the name as those of
	// flavours are.
	Suite bool
}

// Resolve works out a cname whose features are selected already. f names the
// archive and the architecture.
//
// There are no stages of ours and no extensions: a feature that stands for one is
// a fault.
func Resolve(p *config.Project, f *config.Flavour, sel *compose.Selection, n Name, of Features) (*System, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	for _, name := range sel.Features {
		feature := p.Features[name]
		diags = append(diags, feature.Faults...)
		if feature.Stage != "" || feature.Type == config.Extension {
			diags = append(diags, fault("Feature for flavours only",
				fmt.Sprintf("Feature %q stands for a stage of Treewright's own or is an extension. A flavour has those, a cname does not: write one with `./build new flavour NAME`.", name), feature.Range))
		}
	}
	a := compose.Assembly{Flavour: f, Selection: sel, Environment: n.environment(f.Distribution.Arch, sel)}
	if of.Suite {
		a.Environment["BUILDER_FLAVOUR"] = n.CName
		a.Environment["BUILDER_SUITE"] = f.Distribution.Suite
	}
	if of.Expand != nil {
		a.Lists = func(features []*config.Feature) (*compose.PackageLists, hcl.Diagnostics) {
			return shellPackages(features, of.Expand)
		}
	}
	s := &System{Name: n}
	var ds hcl.Diagnostics
	s.Spec, ds = a.Spec(p)
	diags = append(diags, ds...)
	s.Artifacts, ds = artifacts(s.Features, len(sel.Platforms()) > 0)
	diags = append(diags, ds...)
	diags = append(diags, replacedLayouts(s.Features)...)
	if diags.HasErrors() {
		return nil, diags
	}
	return s, diags
}

// environment is what the Makefile of the Garden Linux builder exports to scripts.
func (n Name) environment(arch string, sel *compose.Selection) map[string]string {
	return map[string]string{
		"BUILDER_CNAME":              n.CName,
		"BUILDER_CNAME_BASE":         sel.CNameBase,
		"BUILDER_VERSION":            n.Version,
		"BUILDER_ARCH":               arch,
		"BUILDER_TIMESTAMP":          n.Timestamp,
		"BUILDER_COMMIT":             n.Commit,
		"BUILDER_FEATURES":           strings.Join(sel.Features, ","),
		"BUILDER_FEATURES_PLATFORMS": strings.Join(sel.Platforms(), ","),
		"BUILDER_FEATURES_ELEMENTS":  strings.Join(sel.Elements(), ","),
		"BUILDER_FEATURES_FLAGS":     strings.Join(sel.Flags(), ","),
	}
}

// shellPackages expands the package lists of features in their order.
func shellPackages(features []*config.Feature, expand Expand) (*compose.PackageLists, hcl.Diagnostics) {
	lists := compose.NewPackageLists()
	var diags hcl.Diagnostics
	for _, list := range []struct {
		of   func(*config.Feature) []config.Line
		into map[string][]compose.Want
	}{
		{func(f *config.Feature) []config.Line { return f.Packages }, lists.Include},
		{func(f *config.Feature) []config.Line { return f.ExcludePackages }, lists.Exclude},
	} {
		// One question for all: a shell may remember what a line before said.
		var lines []config.Line
		owner := map[string]string{} // file -> feature
		for _, f := range features {
			for _, l := range list.of(f) {
				lines = append(lines, l)
				owner[l.Range.Filename] = f.Name
			}
		}
		if len(lines) == 0 {
			continue
		}
		words, ds := expand(lines)
		diags = append(diags, ds...)
		for _, w := range words {
			want, ok := compose.ParseWant(w.Text)
			if !ok {
				diags = append(diags, fault("Invalid package name", fmt.Sprintf("%q, which is what a shell makes of this line, is no package: %s", w.Text, compose.PackageSyntax), w.Range))
				continue
			}
			want.Feature, want.Range = owner[w.Range.Filename], w.Range
			list.into[want.Feature] = append(list.into[want.Feature], want)
		}
	}
	return lists, diags
}
