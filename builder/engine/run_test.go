package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// counter is an Executor that makes empty results and counts.
type counter struct {
	// fail names steps that fail; do is called while a step runs.
	fail map[string]bool
	// write gives each result a file that holds its step's name.
	write bool
	warn  map[string]string // what steps warn of
	do    func(ctx context.Context, id string) error

	mu                 sync.Mutex
	ran                []string
	running, most      int
	memory, mostMemory int
	outOfStacks        []string
}

var errBroken = errors.New("it broke")

func (c *counter) Execute(ctx context.Context, r *Request) (layer.Result, error) {
	id, need := r.Step.ID, r.Step.MemoryMiB
	if need == 0 {
		need = defaultMemoryMiB
	}
	c.mu.Lock()
	c.ran = append(c.ran, id)
	c.running++
	c.memory += need
	c.most, c.mostMemory = max(c.most, c.running), max(c.mostMemory, c.memory)
	dirs := slices.Concat(r.Base, r.Tools)
	for _, in := range r.Inputs {
		dirs = append(append(dirs, in.Stack...), in.Dir)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(dir); dir != "" && err != nil {
			c.outOfStacks = append(c.outOfStacks, id+" ran before there was "+dir)
		}
	}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running--
		c.memory -= need
	}()
	if c.do != nil {
		if err := c.do(ctx, id); err != nil {
			return layer.Result{}, err
		}
	}
	var warnings []string
	if text := c.warn[id]; text != "" {
		warnings = []string{text}
	}
	if err := os.WriteFile(r.Log, []byte("said\n"), 0o644); err != nil {
		return layer.Result{}, err
	}
	if c.fail[id] {
		return layer.Result{}, &Failure{Warnings: warnings, Err: errBroken}
	}
	if c.write {
		if err := os.WriteFile(filepath.Join(r.Data, "file"), []byte(id), 0o644); err != nil {
			return layer.Result{}, err
		}
	}
	return layer.Result{Warnings: warnings}, nil
}

func (c *counter) count(id string) int {
	n := 0
	for _, r := range c.ran {
		if r == id {
			n++
		}
	}
	return n
}

// recorder is a Sink that keeps what it is told.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
}

func (r *recorder) Emit(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) Close() error { return nil }

// of returns the steps that had an event of that kind, in order.
func (r *recorder) of(kind event.Kind) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, e := range r.events {
		if e.Kind == kind {
			ids = append(ids, e.Step)
		}
	}
	return ids
}

// discard removes a result that a run has left.
func discard(t *testing.T, store *layer.Store, key string) {
	t.Helper()
	store.LetGo(key)
	if gone, err := store.Remove(key, time.Now()); !gone || err != nil {
		t.Fatalf("result %s is removed: %v, error %v", key, gone, err)
	}
}

func openStore(t *testing.T) *layer.Store {
	t.Helper()
	s, err := layer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newEngine(store *layer.Store) (*Engine, *counter, *recorder) {
	c, r := &counter{}, &recorder{}
	return &Engine{Store: store, Executor: c, Sink: r, Workers: 4, MemoryMiB: 100000}, c, r
}

func graphOf(t *testing.T, steps ...plan.Step) *plan.Graph {
	t.Helper()
	g := &plan.Graph{}
	for _, s := range steps {
		if s.Output == "" {
			s.Output = plan.Layer
		}
		if err := g.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// diamond is top on left and right, both on bottom; and aside, on its own.
func diamond(t *testing.T, bottom, left int) *plan.Graph {
	return graphOf(t,
		plan.Step{ID: "bottom", Action: "bottom", Version: bottom},
		plan.Step{ID: "left", Action: "left", Version: left, Base: "bottom"},
		plan.Step{ID: "right", Action: "right", Base: "bottom"},
		plan.Step{ID: "top", Action: "top", Inputs: map[string]string{"l": "left", "r": "right"}, Output: plan.Dir},
		plan.Step{ID: "aside", Action: "aside", Output: plan.Dir},
	)
}

func run(t *testing.T, e *Engine, g *plan.Graph) *Outcome {
	t.Helper()
	out, err := e.Run(context.Background(), g, g.Targets())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sorted(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return ids
}

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

// TestNeedsAreLazy: a result stands for everything that led to it.
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

// wide is a graph of n steps that can all run at once.
func wide(t *testing.T, n int, memory func(i int) int) *plan.Graph {
	var steps []plan.Step
	for i := range n {
		steps = append(steps, plan.Step{ID: fmt.Sprintf("s%d", i), Version: i, Output: plan.Dir, MemoryMiB: memory(i)})
	}
	return graphOf(t, steps...)
}

func pause(context.Context, string) error {
	time.Sleep(50 * time.Millisecond)
	return nil
}

func TestWorkers(t *testing.T) {
	for _, workers := range []int{1, 3} {
		e, c, _ := newEngine(openStore(t))
		e.Workers, c.do = workers, pause
		run(t, e, wide(t, 12, func(int) int { return 1 }))
		if c.most != workers {
			t.Errorf("%d steps ran at once, want %d", c.most, workers)
		}
		if len(c.ran) != 12 {
			t.Errorf("ran %d steps, want 12", len(c.ran))
		}
	}
}

func TestMemory(t *testing.T) {
	e, c, _ := newEngine(openStore(t))
	e.Workers, e.MemoryMiB, c.do = 8, 1000, pause
	run(t, e, wide(t, 16, func(i int) int { return []int{300, 700, 0, 100}[i%4] }))
	if c.mostMemory > 1000 {
		t.Errorf("%d MiB were promised at once, of 1000", c.mostMemory)
	}
	if c.most < 2 {
		t.Error("nothing ran in parallel")
	}
	if len(c.ran) != 16 {
		t.Errorf("ran %d steps, want 16", len(c.ran))
	}
}

// TestMoreMemoryThanThereIs: such a step runs, but alone.
func TestMoreMemoryThanThereIs(t *testing.T) {
	e, c, _ := newEngine(openStore(t))
	e.Workers, e.MemoryMiB = 8, 1000
	c.do = func(ctx context.Context, id string) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if id == "s3" && c.running != 1 {
			return fmt.Errorf("%d steps run beside it", c.running-1)
		}
		return nil
	}
	run(t, e, wide(t, 6, func(i int) int {
		if i == 3 {
			return 5000
		}
		return 200
	}))
}

// TestTwoEnginesOnOneStore run the same steps once between them.
func TestTwoEnginesOnOneStore(t *testing.T) {
	dir := t.TempDir()
	type side struct {
		c    *counter
		sink *recorder
		out  *Outcome
		err  error
	}
	sides := make([]side, 2)
	var wg sync.WaitGroup
	g := diamond(t, 1, 1)
	for i := range sides {
		store, err := layer.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		e, c, sink := newEngine(store)
		c.do = func(context.Context, string) error {
			time.Sleep(30 * time.Millisecond)
			return nil
		}
		sides[i].c, sides[i].sink = c, sink
		wg.Add(1)
		go func() {
			defer wg.Done()
			sides[i].out, sides[i].err = e.Run(context.Background(), g, g.Targets())
		}()
	}
	wg.Wait()
	waited := 0
	for _, s := range sides {
		if s.err != nil {
			t.Fatal(s.err)
		}
		waited += len(s.sink.of(event.Waiting))
		if len(s.out.Ran) != len(s.c.ran) {
			t.Errorf("the outcome says that %d steps ran, but %d did", len(s.out.Ran), len(s.c.ran))
		}
		if s.out.Results["top"].Key == "" || s.out.Results["aside"].Key == "" {
			t.Error("an engine lacks the targets' results")
		}
	}
	for _, step := range g.Steps() {
		if n := sides[0].c.count(step.ID) + sides[1].c.count(step.ID); n != 1 {
			t.Errorf("%s ran %d times", step.ID, n)
		}
	}
	if waited == 0 {
		t.Error("nobody waited for the other, so this shows nothing")
	}
}

// TestWaitingCanBeInterrupted: Ctrl-C works while another build has the lock.
func TestWaitingCanBeInterrupted(t *testing.T) {
	store := openStore(t)
	e, c, _ := newEngine(store)
	g := graphOf(t, plan.Step{ID: "one"})
	unlock, err := store.Lock(context.Background(), g.Key("one"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := e.Run(ctx, g, g.Targets()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if time.Since(start) > time.Second || len(c.ran) != 0 {
		t.Errorf("after %v; ran %v", time.Since(start), c.ran)
	}
}

// TestDamagedRecord: what a power cut left of a record is no result.
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
// it is none.
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
