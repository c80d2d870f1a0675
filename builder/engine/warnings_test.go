package engine

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

// warned returns what the sink was warned of, sorted: steps run in any order.
func warned(r *recorder) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, e := range r.events {
		if e.Kind == event.StepWarning {
			lines = append(lines, e.Step+": "+e.Line)
		}
	}
	return sorted(lines)
}

// A warning is shown in the build that ran the step and in each that reuses
// it: when the step itself is looked at, and when a later result is taken in its place.
func TestWarningsAreSaidAgain(t *testing.T) {
	store := openStore(t)
	warns := map[string]string{"bottom": "one", "top": "two"}
	want := []string{"bottom: one", "top: two"}
	for name, left := range map[string]int{"first": 1, "again": 1, "left changed": 2} {
		e, c, sink := newEngine(store)
		c.warn = warns
		run(t, e, diamond(t, 1, left))
		if got := warned(sink); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		e, c, sink = newEngine(store)
		run(t, e, diamond(t, 1, left))
		if got := warned(sink); len(c.ran) > 0 || !slices.Equal(got, want) {
			t.Errorf("%s, all of it reused: %q, want %q", name, got, want)
		}
	}
	// The result of the step that warned may be gone, or on another machine.
	discard(t, store, diamond(t, 1, 1).Key("bottom"))
	gone, c, again := newEngine(store)
	run(t, gone, diamond(t, 1, 1))
	if got := warned(again); len(c.ran) > 0 || !slices.Equal(got, want) {
		t.Errorf("without the first result: %q, want %q", got, want)
	}
	// What is not among what led to the targets is not repeated.
	e, _, sink := newEngine(store)
	if _, err := e.Run(context.Background(), diamond(t, 1, 1), []string{"aside"}); err != nil {
		t.Fatal(err)
	}
	if got := warned(sink); len(got) > 0 {
		t.Errorf("the step aside has nothing to do with %q", got)
	}
}

func TestWarningsOfAFailedStep(t *testing.T) {
	e, c, sink := newEngine(openStore(t))
	c.warn, c.fail = map[string]string{"bottom": "one"}, map[string]bool{"bottom": true}
	if _, err := e.Run(context.Background(), diamond(t, 1, 1), []string{"top"}); err == nil {
		t.Fatal("no error")
	}
	if got := warned(sink); !slices.Equal(got, []string{"bottom: one"}) {
		t.Errorf("%q", got)
	}
}

// TestRootWarningOfAStep goes all the way: the step's process, its result on
// the disk, another engine that reuses it.
func TestRootWarningOfAStep(t *testing.T) {
	needRoot(t)
	store := openStore(t)
	for _, name := range []string{"first", "again"} {
		params, err := json.Marshal(map[string]any{"feature": "x", "lines": []string{"root root 0644 /no\x1b[31msuch*"}})
		if err != nil {
			t.Fatal(err)
		}
		g := graphOf(t, plan.Step{ID: "stat", Action: "stat", Params: params})
		sink := &recorder{}
		e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: t.TempDir()}
		if _, err := e.Run(t.Context(), g, []string{"stat"}); err != nil {
			t.Fatal(err)
		}
		want := "stat: file.include.stat of x: /nosuch* matches nothing"
		if got := warned(sink); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
