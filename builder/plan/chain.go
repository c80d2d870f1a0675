package plan

import "slices"

// Chains maps the ID of a step to the ID of the next step of its chain. The steps of a chain are sent to another machine together, as one
// Action.
type Chains map[string]string

// Chains returns the chains of a graph. Two steps, "first" and "next", are in a chain if
//
//   - first is small (see [Step.Small]), and next works on the tree of first;
//   - the chain does not delay other steps: all other steps that require the result of first come after next anyway;
//   - each step that next waits for is first, or a step that first waits for, too;
//   - another machine of the same architecture can carry out both, and next is not [Step.Recorded]: the machine that plans can find that a
//     recorded step does not have to run.
//
// So all steps of a chain except the last one are small, and a step is in one chain at most.
func (g *Graph) Chains() Chains {
	// It is enough to look at the steps that use a result directly: all other steps that require the result come after one of these steps.
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
		// all is in the graph's order. If a step of all comes before all other steps of all, it is the first step.
		if next := all[0]; g.together(id, next) && g.allBefore(id, next) && g.allAfter(next, all[1:], at) {
			chains[id] = next
		}
	}
	return chains
}

// together reports whether a small step can be carried out together with a step that uses its result.
func (g *Graph) together(id, next string) bool {
	s, n := g.steps[id], g.steps[next]
	return n.Base == id && s.Travels() && n.Travels() && !n.Recorded && n.Arch == s.Arch
}

// allBefore reports whether all other steps that next uses come before the step id.
func (g *Graph) allBefore(id, next string) bool {
	others := slices.DeleteFunc(g.Needs(next), func(in string) bool { return in == id })
	if len(others) == 0 {
		return true
	}
	before := g.Before([]string{id})
	return !slices.ContainsFunc(others, func(in string) bool { return !slices.Contains(before, in) })
}

// allAfter reports whether all of the steps come after the step id. at is the place of each step in the graph's order.
func (g *Graph) allAfter(id string, steps []string, at map[string]int) bool {
	for _, s := range steps {
		found, seen, look := false, map[string]bool{}, []string{s}
		for len(look) > 0 && !found {
			last := look[len(look)-1]
			look = look[:len(look)-1]
			for _, in := range g.Needs(last) {
				found = found || in == id
				// Steps that are earlier in the order do not need id.
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

// From returns a step and the later steps of its chain. If the step is not in a chain, or is the last step of its chain, From returns only
// this step.
func (c Chains) From(id string) []string {
	chain := []string{id}
	for next := c[id]; next != ""; next = c[next] {
		chain = append(chain, next)
	}
	return chain
}
