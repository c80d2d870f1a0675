package build

import (
	"context"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/planner"
)

// PackageUse is a package in a tree of a plan, and why it is there.
type PackageUse struct {
	// Tree is what people call the tree, as "system" or "extension debug".
	Tree    string `json:"tree"`
	Package Chosen `json:"package"`
	// Bootstrapped reports whether each system has it, from before any package is asked for.
	Bootstrapped bool `json:"bootstrapped,omitempty"`
	// Wanted are the lines that ask for it, and NeededBy the packages of the tree that
	// depend on it.
	Wanted   []string `json:"wanted,omitempty"`
	NeededBy []string `json:"needed_by,omitempty"`
	// Chain leads from a package that is asked for to this one. Each package needs the
	// next one. It is empty for a package that is asked for itself.
	Chain []ChainLink `json:"chain,omitempty"`
	// File is the one of a feature that the package is; "" if it is from a source.
	File string `json:"file,omitempty"`
}

// ChainLink is a package on the way to another one.
type ChainLink struct {
	Name string `json:"name"`
	// Place is where it is asked for, for the first one of a chain.
	Place string `json:"place,omitempty"`
	// Recommends reports whether the next one is only recommended.
	Recommends bool `json:"recommends,omitempty"`
}

// WhyPackage returns which trees have a package, from where, and why. Offers are all
// that the sources have of it; it is empty if none has any.
func (p *Prepared) WhyPackage(ctx context.Context, name string) (uses []PackageUse, offers []distro.Archived, err error) {
	names, trees := p.trees()
	for _, tree := range names {
		for _, a := range trees[tree].Packages {
			if a.Name == name {
				uses = append(uses, p.use(tree, a, trees[tree]))
			}
		}
	}
	if p.Lock != nil {
		return uses, p.Lock.Offers(name), nil
	}
	offers, err = p.archive.Offers(ctx, name)
	return uses, offers, err
}

// use is why a package is in a tree.
func (p *Prepared) use(tree string, a distro.Archived, all *distro.Closure) PackageUse {
	use := PackageUse{
		Tree: tree, Package: Chosen{a.Package, a.Source, a.Suite}, File: p.Packages.Local[a.SHA256].File,
		Bootstrapped: slices.ContainsFunc(p.Packages.Base.Packages, func(b distro.Archived) bool { return b.Name == a.Name && b.Arch == a.Arch }),
	}
	names := append([]string{a.Name}, p.distro.Provided(a)...)
	for _, other := range all.Packages {
		if other.Name != a.Name && slices.ContainsFunc(p.distro.Dependencies(other), func(d string) bool { return slices.Contains(names, d) }) {
			use.NeededBy = append(use.NeededBy, other.Name)
		}
	}
	wants := p.wants(tree)
	for _, w := range wants {
		if of, _, _ := strings.Cut(w.Name, ":"); of == a.Name && w.Range.Filename != "" {
			use.Wanted = append(use.Wanted, placeOf(w.Range))
		}
	}
	if len(use.Wanted) == 0 && !use.Bootstrapped {
		// Packages of an extension may be needed by those of the system below it.
		if all != p.Packages.System && strings.HasPrefix(tree, "extension ") {
			all = p.Packages.Extensions[strings.TrimPrefix(tree, "extension ")]
		}
		use.Chain = p.chain(wants, all, a.Name)
	}
	return use
}

// chain is the shortest way from a package that is asked for to another one; nil if there
// is none.
func (p *Prepared) chain(wants []compose.Want, all *distro.Closure, name string) []ChainLink {
	g := p.needsOf(all)
	recommending := map[string]bool{}
	from := map[string]ChainLink{} // who needs a package, as the last link before it
	var queue []string
	for _, w := range wants {
		of, _, _ := strings.Cut(w.Name, ":")
		if g[of] == nil || w.Forbidden {
			continue
		}
		recommending[of] = recommending[of] || w.Recommends
		if _, ok := from[of]; !ok {
			from[of] = ChainLink{Place: placeOf(w.Range)}
			queue = append(queue, of)
		}
	}
	for len(queue) > 0 && from[name] == (ChainLink{}) {
		at := queue[0]
		queue = queue[1:]
		for _, next := range g[at].depends {
			if _, ok := from[next]; !ok {
				from[next] = ChainLink{Name: at}
				queue = append(queue, next)
			}
		}
		if !recommending[at] {
			continue
		}
		for _, next := range g[at].recommends {
			if _, ok := from[next]; !ok {
				from[next] = ChainLink{Name: at, Recommends: true}
				queue = append(queue, next)
			}
		}
	}
	var chain []ChainLink
	for at := name; from[at].Name != ""; at = from[at].Name {
		link := from[at]
		link.Place = from[link.Name].Place
		chain = append(chain, link)
	}
	slices.Reverse(chain)
	return chain
}

// needs are the packages of a tree that a package of it depends on, and that it recommends.
type needs struct{ depends, recommends []string }

// needsOf are the needs of the packages of a tree by name. Virtual packages are resolved
// to those that provide them.
func (p *Prepared) needsOf(all *distro.Closure) map[string]*needs {
	provide := map[string][]string{}
	for _, a := range all.Packages {
		provide[a.Name] = append(provide[a.Name], a.Name)
		for _, v := range p.distro.Provided(a) {
			provide[v] = append(provide[v], a.Name)
		}
	}
	g := map[string]*needs{}
	for _, a := range all.Packages {
		n := &needs{}
		for _, d := range p.distro.Dependencies(a) {
			n.depends = append(n.depends, provide[d]...)
		}
		for _, r := range p.distro.Recommended(a) {
			n.recommends = append(n.recommends, provide[r]...)
		}
		g[a.Name] = n
	}
	return g
}

// wants are what a tree's packages are asked for by: those of tools have no place.
func (p *Prepared) wants(tree string) []compose.Want {
	spec := p.Subject.Spec
	kind, of, _ := strings.Cut(tree, " ")
	switch kind {
	case "system":
		return spec.Packages
	case "extension":
		for _, e := range spec.Extensions {
			if e.Name == of {
				return slices.Concat(e.Packages, spec.Packages)
			}
		}
	case "exec.build":
		return spec.BuildPackages[strings.TrimPrefix(of, "of ")]
	}
	var wants []compose.Want
	for _, need := range planner.Needs(spec, p.Subject.Method, p.distro) {
		if string(need.Purpose) == kind {
			for _, w := range need.Wants {
				wants = append(wants, compose.Want{Want: w})
			}
		}
	}
	return wants
}
