package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// Report is what is known of the last finished build of a flavour.
type Report struct {
	Flavour     string
	Description string
	// System is the distribution, as a sentence has it: "Debian testing, amd64".
	System string
	// Ref, Commit, Version and Parent are those of the commit; empty if there is none.
	Ref, Commit, Version, Parent string
	// Time is that of the commit, which follows from what is in it; zero if there is none.
	Time time.Time
	// Treewright is the version of the program that made the report.
	Treewright string
	Steps      []Step
	// Graph is the picture of the steps, as SVG.
	Graph template.HTML
	// Sizes are of the tree that is committed.
	Sizes    []Group
	Packages []Package
	// Changes are those of the packages since the parent; nil without a parent, or if its
	// packages are not known.
	Changes *Changes
	// Files are the paths that differ from the parent, in order; nil without a parent, or if
	// what is in it is not known.
	Files     []string
	Artifacts []Artifact
	Warnings  []Warning
}

// Step is a step, in the order of the plan.
type Step struct {
	ID, Title string
	// Seconds is how long it took when it ran, which was in an earlier build if Cached.
	Seconds float64
	Cached  bool
	// Needs are indices of earlier steps.
	Needs []int
}

// Group is a part of the tree: the files that the steps of one feature brought, or those of the
// packages.
type Group struct {
	Name  string
	Items []Item
}

// Bytes is the size of all items.
func (g *Group) Bytes() int64 {
	var n int64
	for _, i := range g.Items {
		n += i.Bytes
	}
	return n
}

// Item is a package, or a directory of files that are of none.
type Item struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Package is an installed package.
type Package struct {
	Name, Version, Architecture string
	// Source is the name of the archive that it came from, or "".
	Source string
	// Bytes is the size of its files in the tree.
	Bytes int64
}

// Changes are between the packages of two commits.
type Changes struct {
	Added, Removed []Package
	Changed        []Change
}

// Change is a package with another version than before.
type Change struct {
	Name, Before, After string
}

// Artifact is a file or directory that was published.
type Artifact struct {
	Name, Kind, Description string
	Bytes                   int64
	SHA256                  string
}

// Warning is what a step warned of.
type Warning struct{ Step, Text string }

// ParsePackages reads the packages of a commit as its metadata has them, "NAME VERSION" a line.
func ParsePackages(lines string) []Package {
	var out []Package
	for line := range strings.Lines(lines) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		out = append(out, Package{Name: name, Version: version})
	}
	return out
}

// Compare lists what changed from one list of packages to another one, which are both
// sorted by name. A package of several architectures is in a list once for each; commits do
// not have the architectures.
func Compare(before, after []Package) *Changes {
	c := &Changes{}
	old := map[string][]*Package{}
	for i := range before {
		p := &before[i]
		old[p.Name] = append(old[p.Name], p)
	}
	for _, p := range after {
		left := old[p.Name]
		if len(left) == 0 {
			c.Added = append(c.Added, p)
			continue
		}
		// The one of the same architecture, or else the first one.
		at := max(0, slices.IndexFunc(left, func(was *Package) bool { return was.Architecture == p.Architecture }))
		change := Change{p.Name, left[at].Version, p.Version}
		old[p.Name] = slices.Delete(left, at, at+1)
		if change.Before != change.After && !slices.Contains(c.Changed, change) {
			c.Changed = append(c.Changed, change)
		}
	}
	for i := range before {
		if slices.Contains(old[before[i].Name], &before[i]) {
			c.Removed = append(c.Removed, before[i])
		}
	}
	return c
}

// Summary reports how many packages changed, as part of a sentence.
func (c *Changes) Summary() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{len(c.Changed), "changed"}, {len(c.Added), "added"}, {len(c.Removed), "removed"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", plural(p.n, "package", "packages"), p.what))
		}
	}
	if parts == nil {
		return "no package changed"
	}
	return strings.Join(parts, ", ")
}

// None reports that nothing changed.
func (c *Changes) None() bool { return len(c.Added)+len(c.Removed)+len(c.Changed) == 0 }
