package worker

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

// small marks a step as small, so that it can begin a chain.
func small(s plan.Step) plan.Step {
	s.Small = true
	return s
}

// chainOf returns a graph of two steps in one chain. The first step writes "right" into etc/read, and the second step reads this file.
func chainOf(t *testing.T) *plan.Graph {
	t.Helper()
	next := reads.Step(struct{}{}, plan.Step{ID: "reads", Base: "base"})
	next.Recorded = false
	g := graphOf(t, small(files.Step(map[string]string{"etc/read": "right"}, plan.Step{ID: "base"})), next)
	if chain := g.Chains().From("base"); len(chain) != 2 {
		t.Fatalf("the chain is %v", chain)
	}
	return g
}

// TestRootChainOnKeptData: the worker keeps a copy of the data of the first step of a chain. The copy is damaged, and the next step does
// not use it.
func TestRootChainOnKeptData(t *testing.T) {
	needRoot(t)
	m := newMachines(t)
	newBuilder(t, m).build(t, graphOf(t, files.Step(map[string]string{"etc/read": "right"}, plan.Step{ID: "other"})))
	m.damageKept(t)
	b, g := newBuilder(t, m), chainOf(t)
	b.build(t, g)
	b.silent(t)
	if got := treetest.Content(t, filepath.Join(b.store.Data(g.Key("reads")), "made")); got != "of right" {
		t.Errorf("the step has read %q", got)
	}
	if m.ran != 2 {
		t.Errorf("%d commands ran", m.ran)
	}
}

// TestRootChainWithoutInputs: the step "small" runs, and the next step of its chain needs "low", but "low" does not have a result. This can
// happen if the cache has the result of "top": it was made from "low", so "small" does not wait for "low".
func TestRootChainWithoutInputs(t *testing.T) {
	needRoot(t)
	low := files.Step(map[string]string{"low": "1"}, plan.Step{ID: "low"})
	top := artifact.Step(struct{}{}, plan.Step{ID: "top", Inputs: map[string]string{"tree": "first", "low": "low"}, Output: plan.Dir})
	first := files.Step(map[string]string{"etc/changed": "1"}, plan.Step{ID: "first"})
	nothing1 := small(nothing.Step(struct{}{}, plan.Step{ID: "small", Base: "first", Inputs: map[string]string{"top": "top"}}))
	next := nothing.Step(struct{}{}, plan.Step{ID: "next", Base: "small", Inputs: map[string]string{"low": "low"}})
	g := graphOf(t, first, low, top, nothing1, next)
	if chain := g.Chains().From("small"); len(chain) != 2 {
		t.Fatalf("the chain is %v", chain)
	}
	b := newBuilder(t, newMachines(t))
	if _, err := b.Run(t.Context(), g, []string{"top"}); err != nil {
		t.Fatal(err)
	}
	b.store.Close()
	if _, err := b.store.Remove(g.Key("low"), time.Now()); err != nil {
		t.Fatal(err)
	}
	b.build(t, g)
	b.silent(t)
}

// TestRootLostOutput: the logs do not have the output of a lost execution.
func TestRootLostOutput(t *testing.T) {
	needRoot(t)
	g := wholeGraph(t)
	here := newBuilder(t, nil)
	here.build(t, g)
	m := newMachines(t)
	m.crash = true
	there := newBuilder(t, m)
	there.build(t, g)
	there.silent(t)
	sameResults(t, g, there, here)
}
