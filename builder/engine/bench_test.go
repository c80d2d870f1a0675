package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// idle is an [Executor] that does nothing.
type idle struct{}

func (idle) Execute(context.Context, *Request) (layer.Result, error) { return layer.Result{}, nil }

// inMemory keeps records of results without their data: what remains is the work of the
// engine itself.
type inMemory struct {
	Store
	mu   sync.Mutex
	have map[*layer.Draft]string
	kept map[string]layer.Result
}

func newInMemory() *inMemory {
	return &inMemory{have: map[*layer.Draft]string{}, kept: map[string]layer.Result{}}
}

func (s *inMemory) Get(key string) (layer.Result, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.kept[key]
	return r, ok, nil
}

func (s *inMemory) Sound(key string) (bool, string, error) {
	_, ok, err := s.Get(key)
	return ok, "", err
}

func (s *inMemory) Recheck(string) error { return nil }
func (s *inMemory) Touch(string)         {}
func (s *inMemory) Lock(context.Context, string, func()) (func(), error) {
	return func() {}, nil
}
func (s *inMemory) Open(key string) (string, error) { return key, nil }

func (s *inMemory) Begin(key string) (*layer.Draft, error) {
	d := &layer.Draft{Data: key}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.have[d] = key
	return d, nil
}

func (s *inMemory) Put(d *layer.Draft, r layer.Result) (layer.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Key = s.have[d]
	s.kept[r.Key] = r
	return r, nil
}

// large is a graph of trees with a hundred layers each; the steps that begin them can
// all run at once. They use different amounts of memory.
func large(b *testing.B, steps int) *plan.Graph {
	b.Helper()
	g := &plan.Graph{}
	for i := range steps {
		s := plan.Step{ID: fmt.Sprintf("rootfs/%d", i), Action: "nothing", Version: i, Output: plan.Layer, MemoryMiB: 100 * (1 + i%7)}
		if roots := (steps + 99) / 100; i >= roots {
			s.Base = fmt.Sprintf("rootfs/%d", i-roots)
		}
		if err := g.Add(s); err != nil {
			b.Fatal(err)
		}
	}
	return g
}

// flat is a graph of independent steps.
func flat(b *testing.B, steps int) *plan.Graph {
	b.Helper()
	g := &plan.Graph{}
	for i := range steps {
		if err := g.Add(plan.Step{ID: fmt.Sprint(i), Action: "nothing", Version: i, Output: plan.Dir, MemoryMiB: 100 * (1 + i%7)}); err != nil {
			b.Fatal(err)
		}
	}
	return g
}

// BenchmarkSchedule runs steps that do nothing, and reports what the engine takes for each.
// docs/performance.md has the figures.
func BenchmarkSchedule(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		for name, graph := range map[string]func(*testing.B, int) *plan.Graph{"layers": large, "flat": flat} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				g := graph(b, n)
				targets := g.Targets()
				for b.Loop() {
					e := &Engine{Store: newInMemory(), Executor: idle{}, Sink: &recorder{}, Workers: 4, MemoryMiB: 1500}
					out, err := e.Run(context.Background(), g, targets)
					if err != nil || len(out.Ran) != n {
						b.Fatalf("%d of %d steps ran: %v", len(out.Ran), n, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/step")
			})
		}
	}
}

// BenchmarkStore does the same with a store on the disk, whose results are synced.
func BenchmarkStore(b *testing.B) {
	const n = 200
	g := large(b, n)
	for b.Loop() {
		store, err := layer.Open(filepath.Join(b.TempDir(), "cache"))
		if err != nil {
			b.Fatal(err)
		}
		e := &Engine{Store: store, Executor: &counter{}, Sink: &recorder{}, Workers: 4, MemoryMiB: 10_000}
		if _, err := e.Run(context.Background(), g, g.Targets()); err != nil {
			b.Fatal(err)
		}
		store.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/step")
}

// BenchmarkStepProcess carries out steps in processes of their own, one after the other, with
// their namespaces and mounts. Their own work takes nearly no time.
func BenchmarkStepProcess(b *testing.B) {
	needRoot(b)
	store := scriptStore(b, b.TempDir())
	defer store.Close()
	helper, sink := helperDir(b), &recorder{}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(rootOf(store), "failed")}
	step := 0
	for b.Loop() {
		step++
		g, err := scriptGraph(helper, "write", fmt.Sprint(step))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := e.Run(context.Background(), g, g.Targets()); err != nil {
			b.Fatal(err)
		}
	}
}
