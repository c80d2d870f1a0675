package build

import (
	"testing"
	"time"

	"github.com/treewright/treewright/builder/plan"
)

// diamond is a graph: a, then b and c, then d; and one step that needs nothing.
func diamond(t *testing.T) *plan.Graph {
	t.Helper()
	g := &plan.Graph{}
	for i, s := range []plan.Step{
		{ID: "a"}, {ID: "alone"},
		{ID: "b", Inputs: map[string]string{"x": "a"}}, {ID: "c", Inputs: map[string]string{"x": "a"}},
		{ID: "d", Inputs: map[string]string{"x": "b", "y": "c"}},
	} {
		s.Action, s.Version, s.Output = "act", i, plan.Dir
		if err := g.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func TestForecast(t *testing.T) {
	times := map[string]time.Duration{"a": seconds(10), "alone": seconds(5), "b": seconds(20), "c": seconds(30), "d": seconds(1)}
	all := []string{"a", "alone", "b", "c", "d"}
	without := func(id string) map[string]time.Duration {
		some := map[string]time.Duration{}
		for name, d := range times {
			if name != id {
				some[name] = d
			}
		}
		return some
	}
	for name, c := range map[string]struct {
		missing []string
		times   map[string]time.Duration
		workers int
		total   int
		left    map[string]int // 0: not known
	}{
		"one at once":      {all, times, 1, 66, map[string]int{"a": 66, "c": 56, "b": 26, "alone": 6, "d": 1}},
		"many at once":     {all, times, 9, 41, map[string]int{"a": 41, "alone": 41, "b": 31, "c": 31, "d": 1}},
		"some are made":    {[]string{"c", "d"}, times, 2, 31, map[string]int{"c": 31, "d": 1}},
		"one is not known": {all, without("b"), 9, 0, map[string]int{"a": 0, "alone": 0, "b": 0, "c": 0, "d": 1}},
		"the first is not": {[]string{"a", "b", "c", "d"}, without("a"), 9, 0, map[string]int{"a": 0, "b": 31, "c": 31, "d": 1}},
		"nothing is":       {all, nil, 2, 0, map[string]int{"a": 0, "alone": 0, "b": 0, "c": 0, "d": 0}},
		"nothing to do":    {nil, times, 2, 0, nil},
	} {
		f := foresee(&Outline{Name: "f", Graph: diamond(t)}, c.missing, Times{"f": c.times}, c.workers)
		if f.total != seconds(c.total) {
			t.Errorf("%s: %s in all, want %d s", name, f.total, c.total)
		}
		for id, want := range c.left {
			if got := f.steps[id]; got.left != seconds(want) || got.own != c.times[id] {
				t.Errorf("%s: %s takes %s, and %s are left, want %s and %d s", name, id, got.own, got.left, c.times[id], want)
			}
		}
	}
}
