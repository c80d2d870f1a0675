package compose

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// Assembly is what a Spec is made of that is not a flavour of a file: its
// features are selected already, all of them are the system's, and no extension
// is among them.
type Assembly struct {
	// Flavour names the archive and the architecture.
	Flavour   *config.Flavour
	Selection *Selection
	// Environment is the environment of every script.
	Environment map[string]string
	// Lists expands the features' package lists; nil does so as for flavours.
	Lists func(features []*config.Feature) (*PackageLists, hcl.Diagnostics)
}

// Spec puts the parts together. All faults are collected; with an error among them
// the Spec is incomplete.
func (a Assembly) Spec(p *config.Project) (*Spec, hcl.Diagnostics) {
	sel := a.Selection
	s := &Spec{Flavour: a.Flavour, CanonicalName: sel.CanonicalName, selection: sel, environment: a.Environment}
	for _, name := range sel.Features {
		s.Features = append(s.Features, p.Features[name])
	}
	var diags, ds hcl.Diagnostics
	s.Parameters, ds = parameters(p, a.Flavour, sel.Features)
	diags = append(diags, ds...)
	diags = append(diags, s.noSecrets()...)
	var lists *PackageLists
	if a.Lists != nil {
		lists, ds = a.Lists(s.Features)
	} else {
		lists, ds = expandPackages(p, sel.Features, s.Parameters, flavourVariables(a.Flavour))
	}
	diags = append(diags, ds...)
	s.BuildPackages = lists.Build
	s.Packages, ds = lists.Merge(s.Features)
	diags = append(diags, ds...)
	diags = append(diags, s.gatherSources(s.Features)...)
	return s, append(diags, s.checkSuites()...)
}
