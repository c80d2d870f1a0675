package compose

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// Target is what a cname is built as: the Garden Linux builder's idea of a
// build, with a version and a commit in the names of what it makes.
type Target struct {
	// CName is FEATURES-ARCH-VERSION, the features in canonical order.
	CName string
	// Version is the archive's suite; Commit and Timestamp are what the tree
	// says of itself: any text, and seconds since 1970.
	Version, Commit, Timestamp string
}

// shortCommit is how much of a commit names have, in bytes.
const shortCommit = 8

// Base is what the names of artifacts begin with: CNAME-ARCH-VERSION-COMMIT8.
func (t *Target) Base() string {
	return t.CName + "-" + t.Commit[:min(len(t.Commit), shortCommit)]
}

// ResolveTarget works out a target whose features are selected already. f names
// the archive and the architecture; expand turns lines of package lists into
// one word a line, as a shell does, and is used for foreign projects only.
//
// A target has no stages of ours and no extensions: a feature that stands for
// one is a fault.
func ResolveTarget(p *config.Project, f *config.Flavour, sel *Selection, t Target, expand func([]config.Line) ([]config.Line, hcl.Diagnostics)) (*Spec, hcl.Diagnostics) {
	s := &Spec{Flavour: f, CName: sel.CNameBase, selection: sel, Target: &t}
	var diags, ds hcl.Diagnostics
	for _, name := range sel.Features {
		feature := p.Features[name]
		s.Features = append(s.Features, feature)
		diags = append(diags, feature.Faults...)
		if feature.Stage != "" || feature.Type == config.Extension {
			diags = append(diags, fault("Feature for flavours only",
				fmt.Sprintf("Feature %q stands for a stage of Treewright's own or is an extension. A flavour has those, a cname does not: write one with `./build new flavour NAME`.", name), feature.Range))
		}
	}
	s.environment = t.environment(f.Distribution.Arch, sel)
	if !p.Foreign {
		// Features of ours know these.
		s.environment["BUILDER_FLAVOUR"] = t.CName
		s.environment["BUILDER_SUITE"] = f.Distribution.Suite
	}
	s.Parameters, ds = parameters(p, f, sel.Features)
	diags = append(diags, ds...)
	var lists *packageLists
	if p.Foreign {
		lists, ds = shellPackages(s.Features, expand)
	} else {
		lists, ds = expandPackages(p, sel.Features, s.Parameters, flavourVariables(f))
	}
	diags = append(diags, ds...)
	s.BuildPackages = lists.build
	s.Packages, ds = lists.merge(s.Features)
	diags = append(diags, ds...)
	s.Artifacts, ds = artifacts(s.Features, len(sel.Platforms()) > 0)
	diags = append(diags, ds...)
	diags = append(diags, replacedLayouts(s.Features)...)
	if diags.HasErrors() {
		return nil, diags
	}
	return s, diags
}

// environment is what the reference's Makefile exports to scripts.
func (t *Target) environment(arch string, sel *Selection) map[string]string {
	return map[string]string{
		"BUILDER_CNAME":              t.CName,
		"BUILDER_CNAME_BASE":         sel.CNameBase,
		"BUILDER_VERSION":            t.Version,
		"BUILDER_ARCH":               arch,
		"BUILDER_TIMESTAMP":          t.Timestamp,
		"BUILDER_COMMIT":             t.Commit,
		"BUILDER_FEATURES":           strings.Join(sel.Features, ","),
		"BUILDER_FEATURES_PLATFORMS": strings.Join(sel.Platforms(), ","),
		"BUILDER_FEATURES_ELEMENTS":  strings.Join(sel.Elements(), ","),
		"BUILDER_FEATURES_FLAGS":     strings.Join(sel.Flags(), ","),
	}
}

// shellPackages expands the package lists of features in their order.
func shellPackages(features []*config.Feature, expand func([]config.Line) ([]config.Line, hcl.Diagnostics)) (*packageLists, hcl.Diagnostics) {
	lists := newPackageLists()
	var diags hcl.Diagnostics
	for _, list := range []struct {
		of   func(*config.Feature) []config.Line
		into map[string][]Want
	}{
		{func(f *config.Feature) []config.Line { return f.Packages }, lists.include},
		{func(f *config.Feature) []config.Line { return f.ExcludePackages }, lists.exclude},
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
			m := packageName.FindStringSubmatch(w.Text)
			if m == nil {
				diags = append(diags, fault("Invalid package name",
					fmt.Sprintf("%q, which is what a shell makes of this line, is no package: a name is made of lower-case letters, digits, \"+\", \"-\" and \".\", at least two; \":ARCH\" and \"=VERSION\" may follow.", w.Text), w.Range))
				continue
			}
			feature := owner[w.Range.Filename]
			list.into[feature] = append(list.into[feature], Want{Name: m[1], Version: m[2], Feature: feature, Range: w.Range})
		}
	}
	return lists, diags
}
