package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

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

// TestLongestChainFirst: of the steps that are ready, the one that most steps wait for runs first, as
// the whole build waits for these.
func TestLongestChainFirst(t *testing.T) {
	e, c, _ := newEngine(openStore(t))
	e.Workers = 1
	step := func(id string, memory int, inputs ...string) plan.Step {
		s := plan.Step{ID: id, Output: plan.Dir, MemoryMiB: memory, Params: []byte(strconv.Quote(id)), Inputs: map[string]string{}}
		for _, in := range inputs {
			s.Inputs[in] = in
		}
		return s
	}
	run(t, e, graphOf(t,
		step("alone", 100), step("other", 200), step("tools", 100), step("start", 100),
		step("middle", 200, "start"), step("use", 100, "tools", "middle"), step("end", 100, "use"),
	))
	want := []string{"start", "middle", "tools", "use", "end", "alone", "other"}
	if !slices.Equal(c.ran, want) {
		t.Errorf("ran %q, want %q", c.ran, want)
	}
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

// TestQueue: among steps with equal chains, the newest step comes first. Steps that do not fit are skipped.
func TestQueue(t *testing.T) {
	var q queue
	for i, need := range []int{1, 5, 1, 3, 5, 1} {
		q.put(fmt.Sprintf("%d", i), need, 0)
	}
	var got []string
	for _, limit := range []int{9, 4, 4, 5, 2, 2, 9, 9} {
		got = append(got, q.take(func(need int) bool { return need <= limit }, 0))
	}
	if want := []string{"5", "3", "2", "4", "0", "", "1", ""}; !slices.Equal(got, want) {
		t.Errorf("took %q, want %q", got, want)
	}
}

// TestQueueUrgent: urgent steps come first, the longest chain before shorter chains. Then the newest step comes first.
func TestQueueUrgent(t *testing.T) {
	var q queue
	for i, left := range []time.Duration{5, 9, 2, 9, 7, 1} {
		q.put(fmt.Sprintf("%d", i), i%3, left)
	}
	var got []string
	for _, urgent := range []time.Duration{8, 8, 8, 3, 0, 0, 0} {
		got = append(got, q.take(func(int) bool { return true }, urgent))
	}
	if want := []string{"3", "1", "5", "4", "0", "2", ""}; !slices.Equal(got, want) {
		t.Errorf("took %q, want %q", got, want)
	}
}
