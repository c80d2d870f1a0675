package build_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// These constants describe the machines of the simulation.
const (
	latency   = 5 * time.Millisecond  // of a request to the cache
	bandwidth = 250 << 20             // of each worker, in bytes a second
	start     = 50 * time.Millisecond // the time to start a step
)

// farm simulates workers with a cache. It is a store of records without data, and an executor that carries steps out by waiting.
type farm struct {
	engine.Store
	graph *plan.Graph
	work  map[string]time.Duration
	takes func(id string) time.Duration // the estimates for the engine
	apart bool                          // each worker is a separate machine, and not a core of a machine

	mu       sync.Mutex
	drafts   map[*layer.Draft]string
	results  map[string]layer.Result
	free     []map[string]bool // the results that each free worker has
	requests int
	bytes    int64
}

// run makes all targets on n workers, and returns how long that took by the clock of the simulation.
func (f *farm) run(t *testing.T, n int) (took time.Duration) {
	f.drafts, f.results = map[*layer.Draft]string{}, map[string]layer.Result{}
	synctest.Test(t, func(t *testing.T) {
		for range n {
			f.free = append(f.free, map[string]bool{})
		}
		begun := time.Now()
		e := &engine.Engine{Store: f, Executor: f, Sink: event.Discard, Workers: n, MemoryMiB: 1 << 40, Takes: f.takes}
		if f.apart {
			e.Sent, e.Actions = func(*plan.Step) bool { return true }, n
		}
		out, err := e.Run(context.Background(), f.graph, f.graph.Targets())
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Ran) != len(f.graph.Steps()) {
			t.Errorf("%d of %d steps ran", len(out.Ran), len(f.graph.Steps()))
		}
		took = time.Since(begun)
	})
	return took
}

// sizes are the sizes of results, in MiB, by action. They are rough figures, similar to the sizes of the shipped flavours.
var sizes = map[string]int64{"bootstrap": 300, "install": 150, "fetch": 60, "initramfs": 25, "ostree-tree": 40, "ostree-commit": 250, "archive": 250, "disk": 450, "script": 1, "esp": 30}

func sizeOf(s *plan.Step) int64 { return max(sizes[s.Action]<<20, 50<<10) }

// Execute implements [engine.Executor]. It picks the free worker that has most of the step's inputs.
func (f *farm) Execute(_ context.Context, r *engine.Request) (layer.Result, error) {
	if !f.apart {
		time.Sleep(f.work[r.Step.ID])
		return layer.Result{}, nil
	}
	needs := f.graph.Requires(r.Step.ID)
	f.mu.Lock()
	best, most := 0, int64(-1)
	for i, has := range f.free {
		var n int64
		for _, id := range needs {
			if has[id] {
				n += sizeOf(f.graph.Step(id))
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	worker := f.free[best]
	f.free = append(f.free[:best], f.free[best+1:]...)
	f.mu.Unlock()

	own := sizeOf(&r.Step)
	moved, requests := own, 4 // they look for a result, store the Action, execute it, and store its result
	for _, id := range needs {
		if !worker[id] {
			moved += sizeOf(f.graph.Step(id))
			requests++
			worker[id] = true
		}
	}
	time.Sleep(start + time.Duration(requests)*latency + time.Duration(moved)*time.Second/bandwidth + f.work[r.Step.ID])
	worker[r.Step.ID] = true
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = append(f.free, worker)
	f.requests += requests
	f.bytes += moved
	return layer.Result{}, nil
}

// Get implements [engine.Store].
func (f *farm) Get(key string) (layer.Result, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.results[key]
	return r, ok, nil
}

// Sound implements [engine.Store].
func (f *farm) Sound(key string) (bool, string, error) {
	_, ok, err := f.Get(key)
	return ok, "", err
}

// Recheck implements [engine.Store].
func (f *farm) Recheck(string) error { return nil }

// Touch implements [engine.Store].
func (f *farm) Touch(string) {}

// Lock implements [engine.Store].
func (f *farm) Lock(context.Context, string, func()) (func(), error) { return func() {}, nil }

// Open implements [engine.Store].
func (f *farm) Open(key string) (string, error) { return key, nil }

// Begin implements [engine.Store].
func (f *farm) Begin(key string) (*layer.Draft, error) {
	d := &layer.Draft{Data: key}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drafts[d] = key
	return d, nil
}

// Put implements [engine.Store].
func (f *farm) Put(d *layer.Draft, r layer.Result) (layer.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Key = f.drafts[d]
	f.results[r.Key] = r
	return r, nil
}
