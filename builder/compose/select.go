package compose

import (
	"errors"
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/config"
)

// Selection is the answer to one query: the features that are in, and their
// orders.
type Selection struct {
	// Features are all selected features, what is included before what
	// includes it; of those that could come next, the first by type
	// (platform, element, flag, extension), then by name.
	Features []string
	// Minimal are the selected features that no other selected feature
	// includes, in the order of the canonical name: what includes before what
	// is included, otherwise by type and name as above.
	Minimal []string
	// CanonicalName is the canonical name without architecture and version.
	CanonicalName string

	graph *Graph
	in    bitset
}

// NotFoundError reports that a feature was asked for that does not exist, or that
// the query itself ignores.
type NotFoundError struct {
	Name    string
	Ignored bool
}

func (e *NotFoundError) Error() string {
	if e.Ignored {
		return fmt.Sprintf("feature %q is requested and ignored at the same time", e.Name)
	}
	return fmt.Sprintf("feature %q not found", e.Name)
}

// ExcludedError reports that a feature that was asked for is excluded by another
// selected one.
type ExcludedError struct{ Name, By string }

func (e *ExcludedError) Error() string {
	return fmt.Sprintf("feature %q is requested, but %q excludes it", e.Name, e.By)
}

// TypeError reports that a selected feature has no type, or one that is unknown.
type TypeError struct {
	Name string
	Type config.FeatureType
}

func (e *TypeError) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("feature %q has no type", e.Name)
	}
	return fmt.Sprintf("feature %q has the unknown type %q", e.Name, e.Type)
}

// Select works out which features are in when the given ones are asked for and
// the ignored ones are treated as if they were not there. Order and duplicates
// do not matter, and ignored features need not exist. Errors are
// [*NotFoundError], [*ExcludedError] and [*TypeError].
//
// The way of the Garden Linux builder (parse_features, filter_graph) is: close
// over includes; walk what is selected in topological order over includes and
// excludes, by name where there is a choice; take out the first feature found
// to be excluded, and only that one; start over. So a feature that was itself
// taken out excludes nothing any more. What was taken out never comes back,
// and nothing is included through it, because each closure is computed within
// what the last one left.
func (g *Graph) Select(asked, ignore []string) (*Selection, error) {
	in := newBitset(len(g.features))
	for n := range g.features {
		in.add(n)
	}
	for _, name := range ignore {
		if n, ok := g.number[name]; ok {
			in.remove(n)
		}
	}
	wanted := newBitset(len(g.features))
	for _, name := range asked {
		n, ok := g.number[name]
		if !ok || !in.has(n) {
			return nil, &NotFoundError{Name: name, Ignored: ok}
		}
		wanted.add(n)
	}
	if len(asked) == 0 {
		return nil, errors.New("no feature is requested")
	}

	for {
		in = g.closure(wanted, in)
		by, excluded := g.firstExcluded(in)
		if excluded < 0 {
			break
		}
		if wanted.has(excluded) {
			return nil, &ExcludedError{Name: g.features[excluded].Name, By: g.features[by].Name}
		}
		in.remove(excluded)
	}

	var err error
	in.each(func(n int) {
		if f := g.features[n]; err == nil && g.typeOrder(n) == len(typeRank) {
			err = &TypeError{Name: f.Name, Type: f.Type}
		}
	})
	if err != nil {
		return nil, err
	}
	s := &Selection{graph: g, in: in, Minimal: g.minimal(in)}
	s.CanonicalName = canonicalName(s.Minimal)
	for _, n := range topological(in, g.pred, g.rank, g.byRank) {
		s.Features = append(s.Features, g.features[n].Name)
	}
	return s, nil
}

// closure returns all that can be reached over includes without leaving a set.
func (g *Graph) closure(from, within bitset) bitset {
	reached := newBitset(len(g.features))
	var stack []int
	from.each(func(n int) {
		reached.add(n)
		stack = append(stack, n)
	})
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, e := range g.succ[n] {
			if !e.exclude && within.has(e.to) && !reached.has(e.to) {
				reached.add(e.to)
				stack = append(stack, e.to)
			}
		}
	}
	return reached
}

// firstExcluded returns the first exclude met on the walk in topological
// order by name, or -1, -1.
func (g *Graph) firstExcluded(in bitset) (by, excluded int) {
	seen := false
	in.each(func(n int) {
		for _, e := range g.succ[n] {
			seen = seen || e.exclude && in.has(e.to)
		}
	})
	if !seen {
		return -1, -1
	}
	for _, n := range topological(in, g.succ, nil, nil) {
		for _, e := range g.succ[n] {
			if e.exclude && in.has(e.to) {
				return n, e.to
			}
		}
	}
	panic("compose: an exclude was seen and not met again")
}

// topological sorts the nodes of a set so that edges lead forward; among those
// that could come next, the one of the lowest rank does. Without ranks that is
// the first by name.
func topological(in bitset, edges [][]edge, rank, byRank []int) []int {
	waiting := make([]int, len(edges))
	size := 0
	in.each(func(n int) {
		size++
		for _, e := range edges[n] {
			waiting[e.to]++
		}
	})
	ready := newBitset(len(edges))
	put := func(n int) {
		if rank != nil {
			n = rank[n]
		}
		ready.add(n)
	}
	in.each(func(n int) {
		if waiting[n] == 0 {
			put(n)
		}
	})
	out := make([]int, 0, size)
	for n := ready.takeMin(); n >= 0; n = ready.takeMin() {
		if byRank != nil {
			n = byRank[n]
		}
		out = append(out, n)
		for _, e := range edges[n] {
			if waiting[e.to]--; waiting[e.to] == 0 && in.has(e.to) {
				put(e.to)
			}
		}
	}
	return out
}

// minimal returns the features of a set that no other one of it mentions.
func (g *Graph) minimal(in bitset) []string {
	var names []string
	for _, n := range topological(in, g.succ, g.rank, g.byRank) {
		mentioned := false
		for _, e := range g.pred[n] {
			mentioned = mentioned || in.has(e.to)
		}
		if !mentioned {
			names = append(names, g.features[n].Name)
		}
	}
	return names
}

// canonicalName joins features to a canonical name: with "-", but flags, which
// begin with "_", bare.
func canonicalName(features []string) string {
	var b strings.Builder
	for i, name := range features {
		if i > 0 && !strings.HasPrefix(name, "_") {
			b.WriteByte('-')
		}
		b.WriteString(name)
	}
	return b.String()
}

// within returns those of Features that are in a set, too.
func (s *Selection) within(set bitset) []string {
	var names []string
	for _, name := range s.Features {
		if set.has(s.graph.number[name]) {
			names = append(names, name)
		}
	}
	return names
}

// Platforms are the selected features of type platform, in the order of
// Features. The Garden Linux builder insists on exactly one; our flavours may
// have none or several.
func (s *Selection) Platforms() []string { return s.ofType(config.Platform) }

// Elements are the selected features of type element, in the order of Features.
func (s *Selection) Elements() []string { return s.ofType(config.Element) }

// Flags are the selected features of type flag, in the order of Features.
func (s *Selection) Flags() []string { return s.ofType(config.Flag) }

func (s *Selection) ofType(t config.FeatureType) []string {
	var names []string
	for _, name := range s.Features {
		if s.graph.features[s.graph.number[name]].Type == t {
			names = append(names, name)
		}
	}
	return names
}

// Edges are the pairs of selected features of which the first includes the
// second: by the first one in the order that [NewGraph] was given, then in the
// order in which they are written.
func (s *Selection) Edges() [][2]string {
	var pairs [][2]string
	for _, n := range s.graph.written {
		if !s.in.has(n) {
			continue
		}
		for _, e := range s.graph.succ[n] {
			if s.in.has(e.to) {
				pairs = append(pairs, [2]string{s.graph.features[n].Name, s.graph.features[e.to].Name})
			}
		}
	}
	return pairs
}
