package plan

import "slices"

// Chains has, for steps that are carried out together with another one on another machine, the step that comes right after
// them. The steps that follow each other in this way are a chain, which is one Action.
type Chains map[string]string

// Chains returns the chains of a graph. A step and its next one are in a chain if
//
//   - the step is small (see [Step.Small]), and the next one works on the tree that it leaves;
//   - no other step waits for the result of the first one longer than it has to: all others that require it come after the next one, too;
//   - the next one waits for no step that the first one does not wait for;
//   - both can be carried out on another machine of the same architecture, and the next one is not [Step.Recorded]: it may have a result
//     of an earlier run, which the machine that plans looks for.
//
// So each step of a chain but the last one is small, and a step is in one chain at most.
func (g *Graph) Chains() Chains {
	// Of the steps that require a result, only those that use it directly count: the others come after one of these.
	users, at := map[string][]string{}, map[string]int{}
	for i, id := range g.order {
		at[id] = i
		for _, in := range g.Needs(id) {
			if g.steps[in].Small {
				users[in] = append(users[in], id)
			}
		}
	}
	chains := Chains{}
	for id, all := range users {
		// It is the first one if the others come after it.
		if next := all[0]; g.together(id, next) && g.allBefore(id, next) && g.allAfter(next, all[1:], at) {
			chains[id] = next
		}
	}
	return chains
}

// together reports whether a small step can be carried out together with one that uses its result.
func (g *Graph) together(id, next string) bool {
	s, n := g.steps[id], g.steps[next]
	return n.Base == id && s.Travels() && n.Travels() && !n.Recorded && n.Arch == s.Arch
}

// allBefore reports whether what next uses besides a step comes before that step.
func (g *Graph) allBefore(id, next string) bool {
	others := slices.DeleteFunc(g.Needs(next), func(in string) bool { return in == id })
	if len(others) == 0 {
		return true
	}
	before := g.Before([]string{id})
	return !slices.ContainsFunc(others, func(in string) bool { return !slices.Contains(before, in) })
}

// allAfter reports whether steps come after the given one. at is where each step is in the graph's order.
func (g *Graph) allAfter(id string, steps []string, at map[string]int) bool {
	for _, s := range steps {
		found, seen, look := false, map[string]bool{}, []string{s}
		for len(look) > 0 && !found {
			last := look[len(look)-1]
			look = look[:len(look)-1]
			for _, in := range g.Needs(last) {
				found = found || in == id
				// What comes earlier in the order does not need it.
				if at[in] > at[id] && !seen[in] {
					seen[in] = true
					look = append(look, in)
				}
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// From returns the steps of the chain that a step is in, from it on: the step alone if it is in none, or is its last one.
func (c Chains) From(id string) []string {
	chain := []string{id}
	for next := c[id]; next != ""; next = c[next] {
		chain = append(chain, next)
	}
	return chain
}
