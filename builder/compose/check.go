package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// Check finds the faults of a whole project, in features that no flavour asks
// for as well. Each is reported once, however many flavours have it. What
// package config judges (unknown parameters, wrong types, a flavour without
// features) is not judged again. It calls see with the spec of each flavour that has no fault, in
// the order of flavours.
func Check(p *config.Project, see func(*Spec)) hcl.Diagnostics {
	features := p.SortedFeatures()
	g, diags := NewGraph(features)
	for _, f := range features {
		diags = append(diags, checkFeature(f)...)
	}
	if g == nil {
		return once(diags)
	}
	work := 0
	told := map[siblingFault]bool{}
	flavours := slices.DeleteFunc(slices.Clone(p.Flavours), func(f *config.Flavour) bool { return len(f.Features) == 0 })
	for f, r := range resolveAll(p, g, flavours) {
		diags = append(diags, notYet(told, f, r.diags)...)
		if work += workOf(p, r.spec) + 100*len(r.diags); work > maxWork {
			diags = append(diags, fault("Tree too large",
				fmt.Sprintf("With this flavour, all flavours together have more than %d features, packages and parameters (each counts once per flavour). The flavours after it were not checked.", maxWork), f.Range))
			break
		}
		if see != nil && r.spec != nil {
			see(r.spec)
		}
	}
	return once(diags)
}

// maxWork bounds what [Check] resolves.
const maxWork = 3_000_000

// workOf is how much there is to a flavour, whether or not it can be resolved.
func workOf(p *config.Project, s *Spec) int {
	work := 100
	if s == nil {
		return work
	}
	for _, f := range s.selection.Features {
		feature := p.Features[f]
		work += 10 + len(feature.Packages) + len(feature.ExcludePackages) + len(feature.PackagesBuild) + len(feature.Parameters)
		for _, t := range feature.Templates {
			work += 10 + len(t.Source)/20
		}
	}
	return work
}

// sample stands in for a flavour while a feature is looked at on its own.
var sample = config.Flavour{
	Name:         "sample",
	Distribution: config.Distribution{Family: "debian", Suite: "testing", Arch: "amd64"},
}

func checkFeature(f *config.Feature) hcl.Diagnostics {
	vars := flavourVariables(&sample)
	var diags hcl.Diagnostics
	for _, p := range f.Parameters {
		if _, ok := vars[p.Name]; ok {
			diags = append(diags, fault("Reserved name",
				fmt.Sprintf("Feature %q cannot have a parameter %q: in defaults and package lists this name means a value of the flavour.", f.Name, p.Name), p.Range))
		}
	}
	values, ds := defaults(f, vars)
	diags = append(diags, ds...)
	diags = append(diags, NewPackageLists().add(f, values, vars)...)
	_, ds = sockets(f, newScope(f, values, vars))
	return append(diags, ds...)
}

// siblingFault is a fault without the name of the flavour that has it, which says the
// same of each flavour that one matrix makes.
type siblingFault struct {
	flavour, subject hcl.Range
	summary, detail  string
}

// notYet leaves out faults that were reported for another flavour of the same matrix, and
// takes in the others.
func notYet(told map[siblingFault]bool, f *config.Flavour, diags hcl.Diagnostics) hcl.Diagnostics {
	var out hcl.Diagnostics
	for _, d := range diags {
		key := siblingFault{f.Range, *d.Subject, d.Summary, strings.ReplaceAll(d.Detail, strconv.Quote(f.Name), "")}
		if !told[key] {
			told[key] = true
			out = append(out, d)
		}
	}
	return out
}

func once(diags hcl.Diagnostics) hcl.Diagnostics {
	type fault struct {
		summary, detail string
		subject         hcl.Range
	}
	seen := map[fault]bool{}
	var out hcl.Diagnostics
	for _, d := range diags {
		key := fault{d.Summary, d.Detail, *d.Subject}
		if !seen[key] {
			seen[key] = true
			out = append(out, d)
		}
	}
	return out
}
