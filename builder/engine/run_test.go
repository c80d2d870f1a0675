package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

var errBroken = errors.New("it broke")

func TestDiamondRunsEachStepOnce(t *testing.T) {
	store := openStore(t)
	e, c, sink := newEngine(store)
	g := diamond(t, 1, 1)
	out := run(t, e, g)
	want := []string{"aside", "bottom", "left", "right", "top"}
	if got := sorted(c.ran); !slices.Equal(got, want) {
		t.Errorf("ran %v, want each of %v once", got, want)
	}
	if len(c.outOfStacks) > 0 {
		t.Error(c.outOfStacks)
	}
	if len(out.Ran) != 5 || len(out.Results) != 5 || out.Results["top"].Key != g.Key("top") {
		t.Errorf("outcome: %+v", out)
	}
	for _, kind := range []event.Kind{event.StepStarted, event.StepFinished} {
		if got := sorted(sink.of(kind)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}

func TestNothingRunsTheSecondTime(t *testing.T) {
	store := openStore(t)
	e, _, _ := newEngine(store)
	run(t, e, diamond(t, 1, 1))
	e, c, sink := newEngine(store)
	out := run(t, e, diamond(t, 1, 1))
	if len(c.ran) != 0 || len(out.Ran) != 0 {
		t.Errorf("ran %v", c.ran)
	}
	if got := sorted(sink.of(event.StepCached)); !slices.Equal(got, []string{"aside", "top"}) {
		t.Errorf("cached: %v, want the targets", got)
	}
}

func TestAChangeRepeatsWhatDependsOnIt(t *testing.T) {
	store := openStore(t)
	e, _, _ := newEngine(store)
	run(t, e, diamond(t, 1, 1))

	e, c, _ := newEngine(store)
	run(t, e, diamond(t, 1, 2))
	if got := sorted(c.ran); !slices.Equal(got, []string{"left", "top"}) {
		t.Errorf("after a change of left: ran %v, want left and top", got)
	}
	e, c, _ = newEngine(store)
	run(t, e, diamond(t, 2, 2))
	if got := sorted(c.ran); !slices.Equal(got, []string{"bottom", "left", "right", "top"}) {
		t.Errorf("after a change of bottom: ran %v", got)
	}
	// And back: all of that is known.
	e, c, _ = newEngine(store)
	run(t, e, diamond(t, 1, 1))
	if len(c.ran) != 0 {
		t.Errorf("going back ran %v", c.ran)
	}
}

// TestNeedsAreLazy: with a result, all that led to it is not needed.
func TestNeedsAreLazy(t *testing.T) {
	store := openStore(t)
	e, _, _ := newEngine(store)
	g := diamond(t, 1, 1)
	run(t, e, g)
	for _, id := range []string{"bottom", "left", "right"} {
		discard(t, store, g.Key(id))
	}
	e, c, _ := newEngine(store)
	run(t, e, g)
	if len(c.ran) != 0 {
		t.Errorf("ran %v, though the targets are there", c.ran)
	}
	missing, cached, err := e.Missing(g, g.Targets())
	if err != nil || len(missing) != 0 || !slices.Equal(cached, []string{"top", "aside"}) {
		t.Errorf("missing %v, cached %v, error %v", missing, cached, err)
	}
	// Now the top needs its inputs, and they their base.
	discard(t, store, g.Key("top"))
	run(t, e, g)
	if got := sorted(c.ran); !slices.Equal(got, []string{"bottom", "left", "right", "top"}) {
		t.Errorf("ran %v", got)
	}
}

// TestALayerBelowIsMadeAgain: a tree is mounted from all its layers, so one
// that is missing in the middle must be made although the one above is there.
func TestALayerBelowIsMadeAgain(t *testing.T) {
	store := openStore(t)
	g := graphOf(t,
		plan.Step{ID: "a"}, plan.Step{ID: "b", Base: "a", Version: 1}, plan.Step{ID: "c", Base: "b", Version: 2},
		plan.Step{ID: "d", Base: "c", Version: 3})
	e, _, _ := newEngine(store)
	run(t, e, g)
	for _, id := range []string{"a", "d"} {
		discard(t, store, g.Key(id))
	}
	e, c, _ := newEngine(store)
	run(t, e, g)
	if !slices.Equal(c.ran, []string{"a", "d"}) {
		t.Errorf("ran %v, want a and d", c.ran)
	}
}

func TestFailureStopsTheRest(t *testing.T) {
	store := openStore(t)
	e, c, sink := newEngine(store)
	c.fail = map[string]bool{"left": true}
	e.Workers, e.FailedLogs = 1, t.TempDir()
	g := diamond(t, 1, 1)
	_, err := e.Run(context.Background(), g, g.Targets())
	var step *StepError
	if !errors.As(err, &step) || step.Step != "left" || !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "step left: it broke") {
		t.Fatalf("error %v, want one that names the step left", err)
	}
	if c.count("top") != 0 {
		t.Error("top ran, though left failed")
	}
	failed := sink.of(event.StepFailed)
	if !slices.Equal(failed, []string{"left"}) {
		t.Errorf("failed: %v", failed)
	}
	for _, ev := range sink.events {
		if ev.Kind == event.StepFailed && (filepath.Base(ev.Log) != "left.log" || ev.Error == "") {
			t.Errorf("the event lacks the log or the error: %+v", ev)
		}
	}
	if _, ok, _ := store.Get(g.Key("left")); ok {
		t.Error("a failed step has a result")
	}
	// The next run goes on from there.
	e, c, _ = newEngine(store)
	run(t, e, g)
	if c.count("bottom") != 0 || c.count("left") != 1 || c.count("top") != 1 {
		t.Errorf("the next run ran %v", c.ran)
	}
}

// TestFailureStopsWhatRuns: steps in progress are cancelled, and it is the
// failure that is reported, not their being stopped.
func TestFailureStopsWhatRuns(t *testing.T) {
	store := openStore(t)
	e, c, sink := newEngine(store)
	longRuns := make(chan struct{})
	c.do = func(ctx context.Context, id string) error {
		if id == "bad" {
			<-longRuns
			return errBroken
		}
		close(longRuns)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Second):
			return errors.New("was not stopped")
		}
	}
	g := graphOf(t, plan.Step{ID: "long", Version: 1}, plan.Step{ID: "bad", Version: 2})
	_, err := e.Run(context.Background(), g, g.Targets())
	if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "step bad") {
		t.Errorf("error %v, want bad's", err)
	}
	if got := sink.of(event.StepFailed); !slices.Equal(got, []string{"bad"}) {
		t.Errorf("failed: %v, want bad alone", got)
	}
}

func TestCancelledContext(t *testing.T) {
	store := openStore(t)
	e, c, sink := newEngine(store)
	ctx, cancel := context.WithCancel(context.Background())
	c.do = func(ctx context.Context, id string) error {
		cancel()
		<-ctx.Done()
		return context.Cause(ctx)
	}
	g := graphOf(t, plan.Step{ID: "one"}, plan.Step{ID: "two", Base: "one", Version: 2})
	start := time.Now()
	_, err := e.Run(ctx, g, g.Targets())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want one that is context.Canceled", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
	if !slices.Equal(c.ran, []string{"one"}) {
		t.Errorf("ran %v", c.ran)
	}
	if got := sink.of(event.StepFailed); len(got) != 0 {
		t.Errorf("%v count as failed, but they were stopped", got)
	}
	// One that is cancelled from the start runs nothing at all.
	e, c, _ = newEngine(store)
	if _, err := e.Run(ctx, g, g.Targets()); !errors.Is(err, context.Canceled) || len(c.ran) != 0 {
		t.Errorf("error %v, ran %v", err, c.ran)
	}
}

// TestDamagedRecord: what a power cut left of a record is not a result.
func TestDamagedRecord(t *testing.T) {
	store := openStore(t)
	e, c, r := newEngine(store)
	g := graphOf(t, plan.Step{ID: "one"})
	run(t, e, g)
	file := filepath.Join(filepath.Dir(store.Data(g.Key("one"))), "result.json")
	for _, content := range []string{"", "{"} {
		c.ran, r.events, e.said = nil, nil, nil
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		run(t, e, g)
		if len(c.ran) != 1 {
			t.Errorf("ran %v", c.ran)
		}
		if w := r.warnings(); len(w) != 1 || !strings.Contains(w[0], file) {
			t.Errorf("warned of %q, want the record's name", w)
		}
	}
}

func TestParseAvailable(t *testing.T) {
	for text, want := range map[string]int{
		"MemTotal:  8000000 kB\nMemFree: 1 kB\nMemAvailable:    2097152 kB\n": 2048,
		"MemAvailable: 1023 kB": 0,
		"":                      2048,
		"MemAvailable: lots\n":  2048,
	} {
		if got := parseAvailable(text); got != want {
			t.Errorf("%q: %d MiB, want %d", text, got, want)
		}
	}
}

// TestTwoStepsFailAtOnce: neither error is lost; that other steps were stopped for
// it does not count.
func TestTwoStepsFailAtOnce(t *testing.T) {
	g := diamond(t, 1, 1)
	s := &scheduler{graph: g, out: &Outcome{}, running: 3}
	one, two := errors.New("one"), errors.New("two")
	var stopped error
	stop := func(cause error) { stopped = cause }
	s.done("left", layer.Result{}, true, one, stop)
	s.done("right", layer.Result{}, true, two, stop)
	s.done("aside", layer.Result{}, true, stopped, stop)
	if want := "one\ntwo"; s.failed == nil || s.failed.Error() != want {
		t.Errorf("got %v, want %q", s.failed, want)
	}
}
