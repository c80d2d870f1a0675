package plan

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestChain: a small step is in a chain with the step that works on its tree, unless another step would be delayed.
func TestChain(t *testing.T) {
	layer := func(id, base string, small bool) Step {
		return Step{ID: id, Action: id, Base: base, Output: Layer, Arch: "amd64", Small: small}
	}
	chains := func(change func(id string, s *Step), more ...Step) map[string][]string {
		var g Graph
		steps := append([]Step{
			layer("tools", "", false), layer("large", "", false), layer("files", "large", true), layer("accounts", "files", true), layer("script", "accounts", false), layer("name", "script", true),
		}, more...)
		got := map[string][]string{}
		for _, s := range steps {
			change(s.ID, &s)
			if err := g.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range g.Steps() {
			got[s.ID] = g.Chains().From(s.ID)
		}
		return got
	}
	same := func(string, *Step) {}
	want := func(name string, got map[string][]string, chain ...string) {
		t.Helper()
		if c := got[chain[0]]; !slices.Equal(c, chain) {
			t.Errorf("%s: the chain from %s on is %v, want %v", name, chain[0], c, chain)
		}
	}
	all := chains(same)
	want("all", all, "large")
	want("all", all, "files", "accounts", "script")
	want("all", all, "accounts", "script")
	want("all", all, "script")
	want("the last one", all, "name")

	// The chain would delay a step that needs only the first result.
	beside := chains(same, Step{ID: "beside", Action: "beside", Inputs: map[string]string{"tree": "files"}, Output: Dir, Arch: "amd64"})
	want("beside", beside, "files")
	want("beside", beside, "accounts", "script")
	// A step that also needs the last result waits anyway.
	later := chains(same, Step{ID: "later", Action: "later", Inputs: map[string]string{"tree": "files", "new": "script"}, Output: Dir, Arch: "amd64"})
	want("later", later, "files", "accounts", "script")

	// If the next step has another input, the chain would delay the first step until this input exists, unless the first step waits for it
	// anyway.
	tools := func(of ...string) map[string][]string {
		return chains(func(id string, s *Step) {
			if slices.Contains(of, id) {
				s.Tools = "tools"
			}
		})
	}
	want("tools of the next one", tools("accounts"), "files")
	want("tools of both", tools("files", "accounts"), "files", "accounts", "script")
	want("tools of one before", tools("large", "accounts"), "files", "accounts", "script")

	for name, change := range map[string]func(s *Step){
		"another architecture": func(s *Step) { s.Arch = "arm64" },
		"a recorded step":      func(s *Step) { s.Recorded = true },
		"a secret":             func(s *Step) { s.Secrets = []Secret{{Name: "token"}} },
		"a network":            func(s *Step) { s.Network = true },
		"a history":            func(s *Step) { s.Sources = []Source{{Name: "history", Digest: "ostree:1"}} },
	} {
		want(name, chains(func(id string, s *Step) {
			if id == "script" {
				change(s)
			}
		}), "files", "accounts")
	}
}

// TestChainsOfAnyGraph: in random graphs, the chains agree with the definition, a step is in one chain at most, and steps that do not use
// small steps do not change the chains.
func TestChainsOfAnyGraph(t *testing.T) {
	found := 0
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		var g, more Graph
		alone := Step{ID: "alone", Action: "alone", Output: Layer, Arch: "amd64", Small: true}
		add(t, &more, alone)
		for i := range 3 + r.IntN(12) {
			s := anyStep(r, &g, i)
			add(t, &g, s)
			add(t, &more, s)
		}
		chains := g.Chains()
		found += len(chains)
		if want := chainsDefined(&g); !maps.Equal(chains, want) {
			t.Fatalf("seed %d: chains %v, want %v", seed, chains, want)
		}
		first := map[string]string{}
		for id, next := range chains {
			if first[next] != "" {
				t.Errorf("seed %d: %s comes after both %s and %s", seed, next, id, first[next])
			}
			first[next] = id
			if g.Step(next).Base != id || !g.Step(id).Small {
				t.Errorf("seed %d: %s does not follow a small step, %s", seed, next, id)
			}
		}
		// A further step uses some steps that are not small.
		other := Step{ID: "other", Action: "other", Output: Dir, Arch: "amd64", Inputs: map[string]string{}}
		for _, s := range g.Steps() {
			if !s.Small && r.IntN(2) == 0 {
				other.Inputs[s.ID] = s.ID
			}
		}
		add(t, &more, other)
		if got := more.Chains(); !maps.Equal(got, chains) {
			t.Errorf("seed %d: chains %v, and with unrelated steps %v", seed, chains, got)
		}
	}
	if found < 100 {
		t.Errorf("only %d steps are in chains, too few for this test", found)
	}
}

func add(t *testing.T, g *Graph, s Step) {
	t.Helper()
	if err := g.Add(s); err != nil {
		t.Fatal(err)
	}
}

// anyStep returns a random step. It uses random steps of a graph.
func anyStep(r *rand.Rand, g *Graph, i int) Step {
	s := Step{ID: fmt.Sprint("s", i), Action: fmt.Sprint(i), Output: Layer, Arch: "amd64", Small: r.IntN(3) > 0, Recorded: r.IntN(8) == 0, Network: r.IntN(8) == 0, Inputs: map[string]string{}}
	if r.IntN(5) == 0 {
		s.Output = Dir
	}
	if r.IntN(8) == 0 {
		s.Arch = "arm64"
	}
	steps := g.Steps()
	if len(steps) == 0 {
		return s
	}
	// The base is mostly the last step, so that chains occur.
	if base := steps[max(0, len(steps)-1-r.IntN(4)/2)]; base.Output == Layer {
		s.Base = base.ID
	}
	for r.IntN(4) == 0 {
		in := steps[r.IntN(len(steps))].ID
		s.Inputs[in] = in
	}
	if tools := steps[r.IntN(len(steps))]; r.IntN(8) == 0 && tools.Output == Layer {
		s.Tools = tools.ID
	}
	return s
}

// chainsDefined returns the chains. It follows the definition word by word, and is slow.
func chainsDefined(g *Graph) Chains {
	chains := Chains{}
	for _, s := range g.Steps() {
		for _, n := range g.Steps() {
			good := s.Small && n.Base == s.ID && s.Travels() && n.Travels() && !n.Recorded && n.Arch == s.Arch
			for _, in := range g.Requires(n.ID) {
				good = good && slices.Contains(g.Before([]string{s.ID}), in)
			}
			for _, user := range g.Steps() {
				if slices.Contains(g.Requires(user.ID), s.ID) && user != n && !slices.Contains(g.Before([]string{user.ID}), n.ID) {
					good = false
				}
			}
			if good {
				chains[s.ID] = n.ID
			}
		}
	}
	return chains
}
