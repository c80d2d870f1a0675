package debian

import (
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Within returns the packages of all that a tree has, which holds those of have, after the
// wanted ones were installed in it and nothing else was available. The answer may contain more
// than apt would choose: where it is not plain which package of all meets a dependency, each that
// may meet it is taken. all is consistent, so the answer is too. ok is false if a dependency is not met
// in all.
func (Family) Within(arch string, all, have *distro.Closure, wants []distro.Want) (within *distro.Closure, ok bool) {
	s := selection{arch: arch, all: all.Packages, named: map[string][]int{}, taken: map[int]bool{}, had: map[int]bool{}, deep: map[int]bool{}}
	sums := map[string]int{}
	for i, p := range s.all {
		sums[p.SHA256] = i
		s.named[p.Name] = append(s.named[p.Name], i)
	}
	for i, p := range s.all {
		for _, name := range relationNames(wholeField(p.Stanza, "Provides")) {
			if !slices.Contains(s.named[name], i) {
				s.named[name] = append(s.named[name], i)
			}
		}
	}
	for _, p := range have.Packages {
		i, found := sums[p.SHA256]
		if !found {
			return nil, false
		}
		s.had[i] = true
	}
	for _, w := range wants {
		if !s.want(w) {
			return nil, false
		}
	}
	within = &distro.Closure{}
	for i, p := range s.all {
		if s.taken[i] || s.had[i] {
			within.Packages = append(within.Packages, p)
		}
	}
	return within, true
}

// selection is a part of a set of packages in the making. Packages are numbers of all.
type selection struct {
	arch string // of the system
	all  []distro.Archived
	// named are packages by name: those that are called so, then those that provide it.
	named map[string][]int
	// had are in the tree before, taken are new, and deep are those whose recommended packages are
	// taken too.
	had, taken, deep map[int]bool
}

// want takes the packages that a want may mean: of those that have the name, if there are any, else
// of those that provide it.
func (s *selection) want(w distro.Want) bool {
	name, arch, qualified := strings.Cut(w.Name, ":")
	candidates := slices.DeleteFunc(slices.Clone(s.named[name]), func(i int) bool { return qualified && !sameArch(s.all[i].Arch, arch) })
	if of := slices.DeleteFunc(slices.Clone(candidates), func(i int) bool { return s.all[i].Name != name }); len(of) > 0 {
		candidates = of
	}
	ok := len(candidates) > 0
	for _, i := range candidates {
		ok = s.take(i, w.Recommends) && ok
	}
	return ok
}

// take takes a package with all that it needs, and reports whether all of that was found.
func (s *selection) take(i int, recommends bool) bool {
	again := s.taken[i] || s.had[i] && !recommends
	if again && (!recommends || s.deep[i]) {
		return true
	}
	s.taken[i] = true
	s.deep[i] = s.deep[i] || recommends
	ok := true
	for _, field := range []string{"Pre-Depends", "Depends", "Recommends"} {
		if field == "Recommends" && !recommends {
			continue
		}
		for clause := range strings.SplitSeq(wholeField(s.all[i].Stanza, field), ",") {
			if clause = strings.TrimSpace(clause); clause != "" && !s.need(i, clause, recommends) && field != "Recommends" {
				ok = false
			}
		}
	}
	return ok
}

// need takes what meets a clause of alternatives, and reports whether anything does.
func (s *selection) need(of int, clause string, recommends bool) bool {
	alternatives := strings.Split(clause, "|")
	for _, in := range []map[int]bool{s.had, nil} { // apt takes nothing new if one in the tree is enough
		for _, alternative := range alternatives {
			for _, i := range s.named[relationName(alternative)] {
				if in != nil && !in[i] || !s.meets(of, i, alternative) {
					continue
				}
				return in != nil || s.take(i, recommends)
			}
		}
	}
	found, ok := false, true
	for _, alternative := range alternatives {
		for _, i := range s.named[relationName(alternative)] {
			found = true
			ok = s.take(i, recommends) && ok
		}
	}
	return found && ok
}

// meets reports whether a package certainly meets one alternative of another.
func (s *selection) meets(of, i int, alternative string) bool {
	name, condition, versioned := strings.Cut(strings.TrimSpace(alternative), "(")
	if strings.Contains(name, ":") || s.archOf(of) != s.archOf(i) {
		return false
	}
	if !versioned {
		return true
	}
	// A package that provides a name may do so in a version, or not.
	return s.all[i].Name == strings.TrimSpace(name) && satisfies(s.all[i].Version, strings.Trim(condition, "() "))
}

// archOf is the architecture that a package counts for: those for all count for the system's.
func (s *selection) archOf(i int) string {
	if s.all[i].Arch == "all" {
		return s.arch
	}
	return s.all[i].Arch
}

// relationName is the name in one alternative of a dependency.
func relationName(alternative string) string {
	if names := relationNames(alternative); len(names) == 1 {
		return names[0]
	}
	return ""
}

// satisfies reports whether a version meets a condition, such as ">= 2".
func satisfies(version, condition string) bool {
	operator := strings.TrimRight(condition[:len(condition)-len(strings.TrimLeft(condition, "<>="))], " ")
	c := CompareVersions(version, strings.TrimSpace(condition[len(operator):]))
	switch operator {
	case "<<":
		return c < 0
	case "<=":
		return c <= 0
	case "=":
		return c == 0
	case ">=":
		return c >= 0
	case ">>":
		return c > 0
	}
	return false
}
