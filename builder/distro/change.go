package distro

import (
	"slices"
	"strings"
)

// Change is what happened to one package.
type Change struct {
	Name string
	// Before and After are "VERSION ARCH"; "" means that it was not, or is not,
	// installed.
	Before, After string
}

// Changes compares two lists of packages, "NAME VERSION ARCH" each, and returns
// what differs by name. Of several architectures each is a package of its own,
// unless one takes the place of the other.
func Changes(before, after []string) []Change {
	var changes []Change
	gone := map[string]int{} // name -> place in changes
	for _, line := range before {
		if !slices.Contains(after, line) {
			name, rest, _ := strings.Cut(line, " ")
			gone[name] = len(changes)
			changes = append(changes, Change{Name: name, Before: rest})
		}
	}
	for _, line := range after {
		if slices.Contains(before, line) {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		if i, ok := gone[name]; ok && changes[i].After == "" {
			changes[i].After = rest
		} else {
			changes = append(changes, Change{Name: name, After: rest})
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return changes
}

// String says what happened, as in "installed foo 1.2 (amd64)".
func (c Change) String() string {
	with := func(rest string) string {
		version, arch, _ := strings.Cut(rest, " ")
		return version + " (" + arch + ")"
	}
	switch {
	case c.Before == "":
		return "installed " + c.Name + " " + with(c.After)
	case c.After == "":
		return "removed " + c.Name + " " + with(c.Before)
	}
	return "replaced " + c.Name + " " + with(c.Before) + " by " + with(c.After)
}
