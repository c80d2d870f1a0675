package lock

import (
	"cmp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Change is a package that differs between two locks, or that only one of them has.
type Change struct {
	Name string
	// Before and After are nil where the lock does not have the package.
	Before, After *distro.Archived
	// Lists are those that it changes in.
	Lists []string
}

// Security reports whether the new package comes from a source of security updates.
func (c Change) Security() bool {
	return c.After != nil && (c.After.Source == "security" || strings.HasSuffix(c.After.Suite, "-security"))
}

// Changes compares two locks, of which one can be nil for no lock at all. Those from sources
// of security updates come first, then they are sorted by name. The same change in several
// lists is one.
func Changes(before, after *File) []Change {
	var out []Change
	for _, name := range listNames(before, after) {
		for _, c := range changesOf(own(before, name), own(after, name)) {
			i := slices.IndexFunc(out, func(o Change) bool { return same(o.Before, c.Before) && same(o.After, c.After) })
			if i < 0 {
				out = append(out, c)
				i = len(out) - 1
			}
			out[i].Lists = append(out[i].Lists, name)
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), strings.Compare(a.Name, b.Name))
	})
	return out
}

// rank is lower for security updates, which come first.
func (c Change) rank() int {
	if c.Security() {
		return 0
	}
	return 1
}

// listNames are the lists of both locks.
func listNames(files ...*File) []string {
	var names []string
	for _, f := range files {
		if f == nil {
			continue
		}
		for _, l := range f.Lists {
			if !slices.Contains(names, l.Name) {
				names = append(names, l.Name)
			}
		}
	}
	return names
}

// own are the packages of a list without those of the list below it.
func own(f *File, name string) []distro.Archived {
	if f == nil {
		return nil
	}
	return f.Added(name)
}

// changesOf compares two lists by name and architecture; the architecture of a package may
// change to or from "all".
func changesOf(before, after []distro.Archived) []Change {
	var out []Change
	gone := map[string]int{}
	for _, p := range before {
		if !slices.ContainsFunc(after, func(a distro.Archived) bool { return same(&a, &p) }) {
			gone[p.Name] = len(out)
			out = append(out, Change{Name: p.Name, Before: &p})
		}
	}
	for _, p := range after {
		if slices.ContainsFunc(before, func(b distro.Archived) bool { return same(&b, &p) }) {
			continue
		}
		if i, ok := gone[p.Name]; ok && out[i].After == nil {
			out[i].After = &p
		} else {
			out = append(out, Change{Name: p.Name, After: &p})
		}
	}
	return out
}

// same reports whether two packages are the same file.
func same(a, b *distro.Archived) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Package == b.Package && a.SHA256 == b.SHA256
}
