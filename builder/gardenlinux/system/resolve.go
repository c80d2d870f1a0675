package system

import (
	"fmt"
	"slices"
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

// Features is what the features of a tree count on.
type Features struct {
	// Expand is who expands their package lists; nil if they are written for
	// flavours.
	Expand Expand
	// Suite reports that scripts get the suite and the name as those of
	// flavours are.
	Suite bool
}

// Resolve works out a cname whose features are selected already. f names the
// archive and the architecture.
//
// There are no stages of ours and no extensions: a feature with one is
// a fault.
func Resolve(p *config.Project, f *config.Flavour, sel *compose.Selection, n Name, of Features) (*System, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	for _, name := range sel.Features {
		feature := p.Features[name]
		diags = append(diags, feature.Faults...)
		if feature.Stage != "" || feature.Type == config.Extension {
			diags = append(diags, fault("Feature for flavours only",
				fmt.Sprintf("Feature %q adds a stage, or is an extension. A flavour can have these, a cname cannot: write one with `./build new flavour NAME`.", name), feature.Range))
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
		"BUILDER_CNAME_BASE":         sel.CanonicalName,
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

// Listed are the extensions of a cname's artifacts that were asked for, in the
// order of the Garden Linux builder's .artifacts file: the built-in ones, and the others
// as features come to them.
func (s *System) Listed() []string {
	order := slices.Clone(builtin)
	for _, f := range s.Features {
		order = append(order, asked(f)...)
	}
	var listed []string
	for _, ext := range append(order, "raw") {
		if !slices.Contains(listed, ext) && slices.ContainsFunc(s.Artifacts, func(a Artifact) bool { return a.Listed && a.Extension == ext }) {
			listed = append(listed, ext)
		}
	}
	return listed
}
