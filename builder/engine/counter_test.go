package engine

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/plan/plantest"
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

var graphOf = plantest.Graph

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

// rootOf is the directory of a store.
func rootOf(s *layer.Store) string { return filepath.Join(s.Data("any"), "../../..") }
