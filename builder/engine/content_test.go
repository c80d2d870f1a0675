package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// TestPacksTheSameContentOnce: what makes something of directories alone runs again only if these
// have other content, whatever the steps were that made them.
func TestPacksTheSameContentOnce(t *testing.T) {
	store := openStore(t)
	for _, c := range []struct {
		name, content string
		epoch         int64
		change        func(s *plan.Step)
		off, runs     bool
	}{
		{name: "first", content: "same", epoch: 5, runs: true},
		{name: "made by another step", content: "same", epoch: 5},
		{name: "other content", content: "other", epoch: 5, runs: true},
		{name: "content of before", content: "same", epoch: 5},
		{name: "later packages", content: "same", epoch: 6, runs: true},
		{name: "other parameters", content: "same", epoch: 5, change: func(s *plan.Step) { s.Params = []byte(`{"level":9}`) }, runs: true},
		{name: "other name of the input", content: "same", epoch: 5, change: func(s *plan.Step) { s.Inputs = map[string]string{"other": "made"} }, runs: true},
		{name: "network", content: "same", epoch: 5, change: func(s *plan.Step) { s.Network = true }, runs: true},
		{name: "not marked", content: "same", epoch: 5, change: func(s *plan.Step) { s.Recorded = false }, runs: true},
		{name: "shortcuts off", content: "same", epoch: 5, off: true, runs: true},
	} {
		pack := plan.Step{ID: "pack", Action: "pack", Inputs: map[string]string{"in": "made"}, Output: plan.Dir, Recorded: true}
		if c.change != nil {
			c.change(&pack)
		}
		g := graphOf(t, plan.Step{ID: "made", Action: "none", Output: plan.Dir, Env: map[string]string{"BY": c.name}}, pack)
		draft, err := store.Begin(g.Key("made"))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(draft.Data, "file")
		if err := os.WriteFile(file, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Unix(epoch, 0), time.Unix(epoch, 0)); err != nil {
			t.Fatal(err)
		}
		if err := draft.Commit(layer.Result{Step: "made", Epoch: c.epoch}); err != nil {
			t.Fatal(err)
		}
		counts := &counter{write: true}
		out := run(t, &Engine{Store: store, Executor: counts, Sink: &recorder{}, NoShortcuts: c.off}, g)
		if ran := counts.count("pack") == 1; ran != c.runs || ran != out.Ran["pack"] {
			t.Errorf("%s: it ran %v, want %v", c.name, ran, c.runs)
		}
		if text, err := os.ReadFile(filepath.Join(store.Data(g.Key("pack")), "file")); err != nil || string(text) != "pack" {
			t.Errorf("%s: the result has %q, %v", c.name, text, err)
		}
	}
}

// unlinkable is a store in which no result can be used for another one.
type unlinkable struct{ *layer.Store }

func (unlinkable) CopyInto(*layer.Draft, string) (layer.Result, error) {
	return layer.Result{}, errBroken
}

// TestShortcutThatFails: then the step runs, and prints why.
func TestShortcutThatFails(t *testing.T) {
	store, sink, counts := openStore(t), &recorder{}, &counter{}
	for _, by := range []string{"one", "another"} {
		g := graphOf(t, plan.Step{ID: "made", Action: "none", Output: plan.Dir, Env: map[string]string{"BY": by}},
			plan.Step{ID: "pack", Action: "pack", Inputs: map[string]string{"in": "made"}, Output: plan.Dir, Recorded: true})
		run(t, &Engine{Store: unlinkable{store}, Executor: counts, Sink: sink}, g)
	}
	if n := counts.count("pack"); n != 2 {
		t.Errorf("it ran %d times, want 2", n)
	}
	if lines := sink.lines(event.StepOutput); len(lines) != 1 || !strings.Contains(lines[0], errBroken.Error()) {
		t.Errorf("it printed %q", lines)
	}
}
