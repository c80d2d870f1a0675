package plan

// Next returns the step that is carried out together with a step on another machine, right after it; "" for none. The steps that follow
// each other in this way are a chain, which is one Action. A step and its next one are in a chain if
//
//   - the step is small (see [Step.Small]), and the next one works on the tree that it leaves;
//   - no other step waits for the result of the first one longer than it has to: all others that require it come after the next one, too;
//   - both can be carried out on another machine of the same architecture, and the next one is not [Step.Recorded]: it may have a result
//     of an earlier run, which the machine that plans looks for.
//
// So each step of a chain but the last one is small, and a step is in one chain at most.
func (g *Graph) Next(id string) string {
	s := g.steps[id]
	if !s.Small || !s.Travels() {
		return ""
	}
	var users []string
	for _, user := range g.order {
		for _, in := range g.Requires(user) {
			if in == id {
				users = append(users, user)
			}
		}
	}
	for _, next := range users {
		if n := g.steps[next]; n.Base == id && n.Travels() && !n.Recorded && n.Arch == s.Arch && g.allAfter(next, users) {
			return next
		}
	}
	return ""
}

// allAfter reports whether steps are the given one, or come after it.
func (g *Graph) allAfter(id string, steps []string) bool {
	after := map[string]bool{id: true}
	for _, s := range g.order {
		for _, in := range g.Needs(s) {
			after[s] = after[s] || after[in]
		}
	}
	for _, s := range steps {
		if !after[s] {
			return false
		}
	}
	return true
}

// Chain returns the steps of the chain that a step is in, from it on: the step alone if it is in none, or is its last one.
func (g *Graph) Chain(id string) []string {
	chain := []string{id}
	for next := g.Next(id); next != ""; next = g.Next(next) {
		chain = append(chain, next)
	}
	return chain
}
