package build

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/stage/planner"
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

// PackageUse is a package in a tree of a plan, and why it is there.
type PackageUse struct {
	// Tree is what people call the tree, as "system" or "extension debug".
	Tree    string
	Package distro.Archived
	// Wanted are the lines that ask for it, and NeededBy the packages of the tree
	// that depend on it by its name.
	Wanted, NeededBy []string
	// Local is the file that a feature brings the package as; zero if it is from a
	// source.
	Local planner.Local
}

// WhyPackage says which trees have a package, from where, and why. Offers are all
// that the sources have of it; it is empty if none has any.
func (p *Prepared) WhyPackage(ctx context.Context, name string) (uses []PackageUse, offers []distro.Archived, err error) {
	names, trees := p.trees()
	for _, tree := range names {
		for _, a := range trees[tree].Packages {
			if a.Name != name {
				continue
			}
			use := PackageUse{Tree: tree, Package: a, Wanted: p.wanting(tree, name), Local: p.Packages.Local[a.SHA256]}
			for _, other := range trees[tree].Packages {
				if slices.Contains(p.distro.Dependencies(other), name) {
					use.NeededBy = append(use.NeededBy, other.Name)
				}
			}
			uses = append(uses, use)
		}
	}
	offers, err = p.archive.Offers(ctx, name)
	return uses, offers, err
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

// wanting are the places of the lines that ask for a package of a tree.
func (p *Prepared) wanting(tree, name string) []string {
	spec := p.Subject.Spec
	var wants []compose.Want
	switch kind, of, _ := strings.Cut(tree, " "); kind {
	case "system":
		wants = spec.Packages
	case "extension":
		for _, e := range spec.Extensions {
			if e.Name == of {
				wants = e.Packages
			}
		}
	case "exec.build":
		wants = spec.BuildPackages[strings.TrimPrefix(of, "of ")]
	}
	var places []string
	for _, w := range wants {
		if of, _, _ := strings.Cut(w.Name, ":"); of == name {
			places = append(places, config.PlaceOf(w.Range))
		}
	}
	return places
}
