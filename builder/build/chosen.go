package build

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
)

// SourceUse is one suite of a source, and how many of the system's packages and its
// extensions' came from it.
type SourceUse struct {
	Name     string   `json:"name"`
	URL      string   `json:"url"`
	Suite    string   `json:"suite"`
	Patterns []string `json:"packages,omitempty"`
	Priority int      `json:"priority,omitempty"`
	Release  string   `json:"release_sha256"`
	Chosen   int      `json:"chosen"`
}

// trees are the sets of packages of a plan's trees, by what people call the tree.
func (p *Prepared) trees() (names []string, trees map[string]*distro.Closure) {
	trees = map[string]*distro.Closure{"system": p.Packages.System}
	names = []string{"system"}
	add := func(name string, c *distro.Closure) {
		names = append(names, name)
		trees[name] = c
	}
	for _, e := range p.Subject.Spec.Extensions {
		add("extension "+e.Name, p.Packages.Extensions[e.Name].Minus(p.Packages.System))
	}
	if pool := p.pool(); pool != nil {
		add("pool", &distro.Closure{Packages: pool})
	}
	for _, purpose := range slices.Sorted(maps.Keys(p.Packages.Tools)) {
		add(string(purpose)+" tools", p.Packages.Tools[purpose].Packages)
	}
	for _, feature := range slices.Sorted(maps.Keys(p.Packages.Build)) {
		add("exec.build of "+feature, p.Packages.Build[feature])
	}
	return names, trees
}

// installed are the packages of the system and of its extensions.
func (p *Prepared) installed() []distro.Archived {
	all := slices.Clone(p.Packages.System.Packages)
	for _, e := range p.Subject.Spec.Extensions {
		all = append(all, p.Packages.Extensions[e.Name].Minus(p.Packages.System).Packages...)
	}
	return all
}

// Sources are the sources that packages were chosen from.
func (p *Prepared) Sources() []SourceUse {
	all := p.installed()
	var out []SourceUse
	for _, r := range p.Releases {
		use := SourceUse{Name: r.Source.Name, URL: event.Mask(r.Source.URL), Suite: r.Source.Suite, Patterns: r.Source.Packages, Priority: r.Source.Priority, Release: r.SHA256}
		for _, a := range all {
			if a.Source == use.Name && a.Suite == use.Suite {
				use.Chosen++
			}
		}
		out = append(out, use)
	}
	return out
}

// Elsewhere are the system's packages and its extensions' that came from another
// source than the distribution's own, by source and name.
func (p *Prepared) Elsewhere() []distro.Archived {
	all := slices.DeleteFunc(p.installed(), func(a distro.Archived) bool { return a.Source == "" || a.Source == distro.MainSource })
	slices.SortFunc(all, func(a, b distro.Archived) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Suite, b.Suite), a.Compare(b.Package))
	})
	return all
}

// PackageNames are the names of the packages of all trees, the system's first.
func (p *Prepared) PackageNames() (all []string) {
	names, trees := p.trees()
	for _, tree := range names {
		for _, a := range trees[tree].Packages {
			if !slices.Contains(all, a.Name) {
				all = append(all, a.Name)
			}
		}
	}
	return all
}
