package cves

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/distro"
)

// Part is one of the things that were looked at: a system, or an extension.
type Part struct {
	Name     string
	Packages []distro.Described
}

// urgencies are those that can be left out, the least first. Faults with another one, such as
// "not yet assigned", are never left out.
var urgencies = []string{"unimportant", "low", "medium", "high"}

// Urgencies returns the urgencies below which faults can be left out, the least first.
func Urgencies() []string { return slices.Clone(urgencies) }

// Match finds the faults that parts have. Faults of less than an urgency are left out, and
// counted. Rules are used as they are on a day, as YYYY-MM-DD; what is wrong with them is
// returned as warnings.
func Match(parts []Part, issues []distro.Issue, compare func(a, b string) int, least string, rules []Rule, day string) (found []Finding, below int, warnings hcl.Diagnostics) {
	bySource := map[string][]distro.Issue{}
	for _, i := range issues {
		bySource[i.Source] = append(bySource[i.Source], i)
	}
	used := make([]bool, len(rules))
	for _, part := range parts {
		for _, b := range built(part.Packages) {
			for _, i := range bySource[b.source] {
				f, has := finding(part.Name, b, i, compare)
				if !has {
					continue
				}
				ignore(&f, rules, used, day)
				if f.State != Ignored && less(f.Urgency, least) {
					below++
					continue
				}
				found = append(found, f)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State)), -cmp.Compare(weight(a.Urgency), weight(b.Urgency)),
			strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID), strings.Compare(a.Part, b.Part), strings.Compare(a.Version, b.Version))
	})
	return found, below, stale(rules, used, day)
}

// sourceBuild has the packages of a part that were built from one version of a source package.
type sourceBuild struct {
	source, version string
	packages        []string
}

func built(packages []distro.Described) []sourceBuild {
	var all []sourceBuild
	at := map[[2]string]int{}
	for _, p := range packages {
		key := [2]string{p.Source, p.SourceVersion}
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key] = i
			all = append(all, sourceBuild{source: p.Source, version: p.SourceVersion})
		}
		if !slices.Contains(all[i].packages, p.Name) {
			all[i].packages = append(all[i].packages, p.Name)
		}
	}
	return all
}

// finding returns an issue as a fault of a part; false if the part does not have it.
func finding(part string, b sourceBuild, i distro.Issue, compare func(a, b string) int) (Finding, bool) {
	f := Finding{
		State: Open, ID: i.ID, Part: part, Source: b.source, Version: b.version, Packages: b.packages,
		Urgency: i.Urgency, Remark: i.Remark, Description: i.Description,
	}
	switch {
	case i.Unaffected:
		return f, false
	case i.Undetermined:
		f.State = Undetermined
	case i.Fixed != "":
		if compare(b.version, i.Fixed) >= 0 {
			return f, false
		}
		f.State, f.FixedIn = Fixed, i.Fixed
	}
	return f, true
}

// weight orders urgencies.
func weight(urgency string) int {
	if i := slices.Index(urgencies, urgency); i >= 0 {
		return i
	}
	return 1 // as low: after medium, before unimportant
}

func less(urgency, least string) bool {
	i := slices.Index(urgencies, urgency)
	return i >= 0 && i < slices.Index(urgencies, least)
}
