package plan

import (
	"slices"
	"testing"
)

// TestChain: small steps go together with the step that works on their tree, unless another step would wait.
func TestChain(t *testing.T) {
	layer := func(id, base string, small bool) Step {
		return Step{ID: id, Action: id, Base: base, Output: Layer, Arch: "amd64", Small: small}
	}
	chains := func(change func(id string, s *Step), more ...Step) map[string][]string {
		var g Graph
		steps := append([]Step{
			layer("large", "", false), layer("files", "large", true), layer("accounts", "files", true), layer("script", "accounts", false), layer("name", "script", true),
		}, more...)
		got := map[string][]string{}
		for _, s := range steps {
			change(s.ID, &s)
			if err := g.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range g.Steps() {
			got[s.ID] = g.Chain(s.ID)
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

	// A step that only needs the first result would wait for the others.
	beside := chains(same, Step{ID: "beside", Action: "beside", Inputs: map[string]string{"tree": "files"}, Output: Dir, Arch: "amd64"})
	want("beside", beside, "files")
	want("beside", beside, "accounts", "script")
	// One that needs the last one, too, waits in any case.
	later := chains(same, Step{ID: "later", Action: "later", Inputs: map[string]string{"tree": "files", "new": "script"}, Output: Dir, Arch: "amd64"})
	want("later", later, "files", "accounts", "script")

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
