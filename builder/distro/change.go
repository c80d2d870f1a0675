package distro

import (
	"slices"
	"strings"
)

// Change is what happened to one package.
type Change struct {
	Name string
	// Before and After are the package as it was and is; the zero Package means
	// that it was not, or is not, installed.
	Before, After Package
}

// Changes compares two lists of packages and returns what differs by name. Of
// several architectures each is a package of its own, unless one takes the place
// of the other.
func Changes(before, after []Package) []Change {
	var changes []Change
	gone := map[string]int{} // name -> place in changes
	for _, p := range before {
		if !slices.Contains(after, p) {
			gone[p.Name] = len(changes)
			changes = append(changes, Change{Name: p.Name, Before: p})
		}
	}
	for _, p := range after {
		if slices.Contains(before, p) {
			continue
		}
		if i, ok := gone[p.Name]; ok && changes[i].After == (Package{}) {
			changes[i].After = p
		} else {
			changes = append(changes, Change{Name: p.Name, After: p})
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return changes
}

// String describes what happened, as in "installed foo 1.2 (amd64)".
func (c Change) String() string {
	with := func(p Package) string { return p.Version + " (" + p.Arch + ")" }
	switch {
	case c.Before == (Package{}):
		return "installed " + c.Name + " " + with(c.After)
	case c.After == (Package{}):
		return "removed " + c.Name + " " + with(c.Before)
	}
	return "replaced " + c.Name + " " + with(c.Before) + " by " + with(c.After)
}
