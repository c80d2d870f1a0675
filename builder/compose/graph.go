package compose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// Graph is a set of features with their include and exclude edges, checked and
// ready to be asked. It never changes after [NewGraph], so that many goroutines
// may use one.
//
// Nodes are numbered in the order of their names (by code point, as Python
// compares strings), so that a smaller number is an earlier name.
type Graph struct {
	features []*config.Feature
	number   map[string]int
	// written holds the nodes in the order in which NewGraph was given them.
	written []int
	// succ holds each node's edges in the order in which they are written.
	succ, pred [][]edge
	// rank is a node's place when sorted by type, then name; byRank is its
	// inverse.
	rank, byRank []int
}

type edge struct {
	to      int
	exclude bool
	mention hcl.Range
}

// typeRank orders features of different types that are ready at the same time.
// The first three are the Garden Linux builder's, extension is ours.
var typeRank = map[config.FeatureType]int{
	config.Platform: 0, config.Element: 1, config.Flag: 2, config.Extension: 3,
}

// maxFaults is how many faults of one kind are told, and maxCircle how many of the
// features that go round in a circle.
const (
	maxFaults = 100
	maxCircle = 20
)

// NewGraph builds the graph of a whole feature tree. The order of features
// matters only to [Selection.Edges]. The diagnostics, one for every fault, say
// which mentioned features do not exist and where features go round in a
// circle. As in the Garden Linux builder both are judged over the whole tree,
// whatever is asked for later, and an exclude closes a circle as well as an
// include. With an error among the diagnostics there is no graph.
func NewGraph(features []*config.Feature) (*Graph, hcl.Diagnostics) {
	g := &Graph{
		features: slices.Clone(features),
		number:   make(map[string]int, len(features)),
		written:  make([]int, len(features)),
		succ:     make([][]edge, len(features)),
		pred:     make([][]edge, len(features)),
		rank:     make([]int, len(features)),
		byRank:   make([]int, len(features)),
	}
	slices.SortFunc(g.features, func(a, b *config.Feature) int { return strings.Compare(a.Name, b.Name) })
	for n, f := range g.features {
		g.number[f.Name] = n
		g.byRank[n] = n
	}
	for i, f := range features {
		g.written[i] = g.number[f.Name]
	}
	slices.SortStableFunc(g.byRank, func(a, b int) int { return cmp.Compare(g.typeOrder(a), g.typeOrder(b)) })
	for rank, n := range g.byRank {
		g.rank[n] = rank
	}

	var diags hcl.Diagnostics
	for n, f := range g.features {
		diags = append(diags, g.addEdges(n, f)...)
		if len(diags) > maxFaults {
			return nil, diags
		}
	}
	diags = append(diags, g.cycles()...)
	if diags.HasErrors() {
		return nil, diags
	}
	return g, diags
}

func (g *Graph) typeOrder(n int) int {
	if rank, ok := typeRank[g.features[n].Type]; ok {
		return rank
	}
	return len(typeRank)
}

// addEdges adds what one feature mentions. A feature mentioned twice gives one
// edge, at the place of the first mention but of the last one's kind: that is
// how the Garden Linux builder treats a feature that is included and excluded
// by the same other one.
func (g *Graph) addEdges(n int, f *config.Feature) hcl.Diagnostics {
	type mention struct {
		config.FeatureRef
		exclude bool
	}
	mentions := make([]mention, 0, len(f.Include)+len(f.Exclude))
	for _, ref := range f.Include {
		mentions = append(mentions, mention{ref, false})
	}
	for _, ref := range f.Exclude {
		mentions = append(mentions, mention{ref, true})
	}
	slices.SortStableFunc(mentions, func(a, b mention) int {
		return cmp.Or(
			cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
			cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
		)
	})

	var diags hcl.Diagnostics
	known := map[int]int{} // places in succ
	for _, m := range mentions {
		to, ok := g.number[m.Name]
		if !ok && len(diags) > maxFaults {
			break
		}
		if !ok {
			diags = append(diags, g.unknownFeature(fmt.Sprintf("Feature %q %s %q, but there is no such feature.", f.Name, verb(m.exclude), m.Name), m.FeatureRef))
			continue
		}
		if i, again := known[to]; again {
			g.succ[n][i].exclude, g.succ[n][i].mention = m.exclude, m.Range
		} else {
			known[to] = len(g.succ[n])
			g.succ[n] = append(g.succ[n], edge{to, m.exclude, m.Range})
		}
	}
	for _, e := range g.succ[n] {
		g.pred[e.to] = append(g.pred[e.to], edge{n, e.exclude, e.mention})
	}
	return diags
}

func verb(exclude bool) string {
	if exclude {
		return "excludes"
	}
	return "includes"
}

func (g *Graph) unknownFeature(detail string, ref config.FeatureRef) *hcl.Diagnostic {
	names := make([]string, len(g.features))
	for n, f := range g.features {
		names[n] = f.Name
	}
	return fault("Unknown feature", detail+config.DidYouMean(ref.Name, names), ref.Range)
}

// cycles finds circles: one for every edge that leads back to a node whose
// successors are still being walked. Without these edges the graph would be
// acyclic, so no circle goes unmentioned.
func (g *Graph) cycles() hcl.Diagnostics {
	var diags hcl.Diagnostics
	const walking, done = 1, 2
	state := make([]int8, len(g.features))
	type hop struct {
		from int
		edge
	}
	var path []hop
	var walk func(n int)
	walk = func(n int) {
		state[n] = walking
		for _, e := range g.succ[n] {
			path = append(path, hop{n, e})
			switch state[e.to] {
			case 0:
				walk(e.to)
			case walking:
				if len(diags) >= maxFaults {
					break
				}
				start := slices.IndexFunc(path, func(h hop) bool { return h.from == e.to })
				names := []string{g.features[e.to].Name}
				var how []string
				for i, h := range path[start:] {
					if i == maxCircle {
						names = append(names, fmt.Sprintf("(%d more)", len(path[start:])-i))
						break
					}
					from, to := g.features[h.from].Name, g.features[h.to].Name
					names = append(names, to)
					how = append(how, fmt.Sprintf("%q %s %q (%s)", from, verb(h.exclude), to, place(h.mention)))
				}
				diags = append(diags, fault("Features in a circle",
					fmt.Sprintf("%s: %s. Includes and excludes together must not form a circle.",
						strings.Join(names, " -> "), strings.Join(how, ", ")),
					e.mention))
			}
			path = path[:len(path)-1]
		}
		state[n] = done
	}
	for n := range g.features {
		if state[n] == 0 {
			walk(n)
		}
	}
	return diags
}
