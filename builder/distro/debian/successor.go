package debian

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// mostNames is how many packages a message need name.
const mostNames = 3

func (ix *Index) related() *relations {
	r := &ix.relations
	r.once.Do(func() {
		r.replacedBy, r.providedBy, r.byShape = map[string][]string{}, map[string][]string{}, map[string][]string{}
		r.ousts = map[[2]string]bool{}
		for name, spans := range ix.byName {
			shape, _ := nameShape(name)
			r.byShape[shape] = append(r.byShape[shape], name)
			for _, at := range spans {
				stanza := ix.text[at.from:at.to]
				for _, old := range relationNames(field(stanza, "Replaces")) {
					r.replacedBy[old] = append(r.replacedBy[old], name)
				}
				for _, virtual := range relationNames(field(stanza, "Provides")) {
					r.providedBy[virtual] = append(r.providedBy[virtual], name)
				}
				for _, old := range relationNames(field(stanza, "Breaks") + "," + field(stanza, "Conflicts")) {
					r.ousts[[2]string{name, old}] = true
				}
			}
		}
		for _, lists := range []map[string][]string{r.replacedBy, r.providedBy} {
			for name, list := range lists {
				slices.Sort(list)
				lists[name] = slices.Compact(list)
			}
		}
	})
	return r
}

// relationNames returns the names in a field such as Replaces, without versions
// and architectures (Debian policy, 7.1).
func relationNames(value string) []string {
	var names []string
	for _, one := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '|' }) {
		if name, _, _ := strings.Cut(strings.TrimSpace(one), " "); name != "" {
			name, _, _ = strings.Cut(name, "(")
			name, _, _ = strings.Cut(name, ":")
			names = append(names, name)
		}
	}
	return names
}

// Providers returns, sorted, the packages that provide a name which is not
// a package itself; none if it is one. Of several apt chooses none.
func (ix *Index) Providers(name string) []string {
	if len(ix.byName[name]) > 0 {
		return nil
	}
	return ix.related().providedBy[name]
}

// Successor describes what took the place of a package that the index does not have:
// what apt means by "the following packages replace it", else the package of
// the same name with the highest numbers (python3.14 for python3.11). The
// suffix t64, under which Debian built libraries again for 64-bit times, makes
// no other name.
func (ix *Index) Successor(name string) distro.Successor {
	r := ix.related()
	// A package that replaces some files of another need not be its successor,
	// so those that cannot be installed beside it go first.
	replacing := slices.Clone(r.replacedBy[name])
	if firm := slices.DeleteFunc(slices.Clone(replacing), func(p string) bool { return !r.ousts[[2]string{p, name}] }); len(firm) > 0 {
		replacing = firm
	}
	if len(replacing) > 0 {
		return distro.Successor{Names: replacing[:min(len(replacing), mostNames)], Replaces: true}
	}
	shape, numbers := nameShape(name)
	if current := ix.current(name, r.byShape[shape]); current != "" {
		return distro.Successor{Names: []string{current}}
	}
	var best string
	var highest [][]int
	for _, other := range r.byShape[shape] {
		_, theirs := nameShape(other)
		// Where nothing else differs, the plain name goes before a number less.
		if c := compareNumbers(theirs, highest); best == "" || c > 0 || c == 0 && other < best {
			best, highest = other, theirs
		}
	}
	if best == "" || len(numbers) == 0 && best != name+"t64" && best+"t64" != name {
		return distro.Successor{}
	}
	return distro.Successor{Names: []string{best}}
}

// current returns the one of some packages that the unnumbered package depends
// on: the archive's python3 on python3.14, though python3.15 may be there too.
func (ix *Index) current(name string, among []string) string {
	for _, at := range numbersInName.FindAllStringIndex(name, -1) {
		before, number, after := name[:at[0]], name[at[0]:at[1]], name[at[1]:]
		for number != "" {
			number = number[:max(strings.LastIndexByte(number, '.'), 0)]
			plain := before + number + after
			if number == "" {
				plain = strings.TrimSuffix(before, "-") + after
			}
			for _, span := range ix.byName[plain] {
				stanza := ix.text[span.from:span.to]
				for _, needed := range relationNames(field(stanza, "Depends") + "," + field(stanza, "Pre-Depends")) {
					if slices.Contains(among, needed) && needed != plain {
						return needed
					}
				}
			}
		}
	}
	return ""
}

// numbersInName are the digits of a name, with the dots between them; those of
// an architecture or a programming interface are part of the word.
var numbersInName = regexp.MustCompile(`amd64|arm64|i386|i686|x86|[0-9]+(?:\.[0-9]+)*`)

// nameShape returns a name with a mark in place of each number, and the
// numbers.
func nameShape(name string) (string, [][]int) {
	var numbers [][]int
	shape := numbersInName.ReplaceAllStringFunc(strings.TrimSuffix(name, "t64"), func(text string) string {
		if text[0] < '0' || text[0] > '9' {
			return text
		}
		var number []int
		for _, part := range strings.Split(text, ".") {
			n, _ := strconv.Atoi(part)
			number = append(number, n)
		}
		numbers = append(numbers, number)
		return "#"
	})
	return shape, numbers
}

func compareNumbers(a, b [][]int) int {
	return slices.CompareFunc(a, b, slices.Compare[[]int])
}
