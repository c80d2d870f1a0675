package build_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

var scaleFigures = flag.Bool("scale", false, "print the figures of the simulation on many machines as benchmarks do")

// TestScale runs the real scheduler on the real plans of 200 flavours for two architectures, on 1 to
// 256 workers. Steps take the time that they took in a measured build, and the results go to a
// cache with a latency and a bandwidth, from which each worker fetches the results that it lacks. The clock
// is not a real one, so all of it takes seconds. Efficiency is how many times faster N workers are
// than one, divided by N.
func TestScale(t *testing.T) {
	outlines, took := outlinesOf(t, kinds(t, 200))
	g, work := merged(t, outlines)
	t.Logf("%d flavours, planned in %v: %d steps", len(outlines), took.Round(time.Millisecond), len(g.Steps()))
	var one time.Duration
	for _, n := range []int{1, 2, 4, 16, 64, 128, 256} {
		f := &farm{work: work, graph: g, takes: build.Takes(g, work), apart: true}
		clock := f.run(t, n)
		if n == 1 {
			one = clock
		}
		efficiency := one.Seconds() / (clock.Seconds() * float64(n))
		t.Logf("%3d workers: %v, efficiency %.2f, %d requests, %.1f GB", n, clock.Round(time.Second), efficiency, f.requests, float64(f.bytes)/1e9)
		if *scaleFigures {
			fmt.Printf("BenchmarkScale/%d-1 1 %d ns/op %.4f efficiency %d requests %.3f GB\n", n, clock.Nanoseconds(), efficiency, f.requests, float64(f.bytes)/1e9)
		}
		if n == 64 && efficiency <= leastEfficiency {
			t.Errorf("the efficiency on %d workers is %.2f, not more than %v", n, efficiency, leastEfficiency)
		}
	}
}

// leastEfficiency is the efficiency that 64 workers have to exceed. docs/performance.md has the measured values.
const leastEfficiency = 0.8

// TestScaleEstimates: 64 workers are nearly as efficient if the estimates are the usual times, or wrong, or missing.
func TestScaleEstimates(t *testing.T) {
	outlines, _ := outlinesOf(t, kinds(t, 200))
	g, work := merged(t, outlines)
	one := (&farm{work: work, graph: g, takes: build.Takes(g, work), apart: true}).run(t, 1)
	for _, c := range []struct {
		name  string
		takes func(string) time.Duration
		least float64
	}{
		{"usual", build.Takes(g, build.Estimates(nil, outlines)), leastEfficiency},
		{"wrong", build.Takes(g, wrong(work)), 0.78},
		{"missing", nil, 0.76},
	} {
		f := &farm{work: work, graph: g, takes: c.takes, apart: true}
		efficiency := one.Seconds() / (f.run(t, 64).Seconds() * 64)
		t.Logf("%s: efficiency %.2f, %.1f GB", c.name, efficiency, float64(f.bytes)/1e9)
		if efficiency <= c.least {
			t.Errorf("%s: the efficiency on 64 workers is %.2f, not more than %v", c.name, efficiency, c.least)
		}
	}
}

// TestLocalOrder: on two cores a flavour takes as long as its longest chain of steps, and ten flavours that differ in their host name
// take little longer than half of their work. Other estimates than the times make them at most a hundredth slower.
func TestLocalOrder(t *testing.T) {
	for _, n := range []int{1, 10} {
		outlines, _ := outlinesOf(t, hosts(t, n))
		g, work := merged(t, outlines)
		longest, all := bounds(g, work)
		least := max(longest, all/2)
		known := (&farm{work: work, graph: g, takes: build.Takes(g, work)}).run(t, 2)
		t.Logf("%d flavours: %v; all the work is %v, the longest chain %v", n, known, all, longest)
		if n == 1 && known > least || known > least*26/25 {
			t.Errorf("%d flavours: %v, and %v is possible", n, known, least)
		}
		for name, takes := range map[string]func(string) time.Duration{"usual": build.Takes(g, build.Estimates(nil, outlines)), "wrong": build.Takes(g, wrong(work)), "missing": nil} {
			took := (&farm{work: work, graph: g, takes: takes}).run(t, 2)
			t.Logf("%d flavours, estimates %s: %v", n, name, took)
			if n == 1 && took > least || took > known*101/100 {
				t.Errorf("%d flavours, estimates %s: %v, and %v with the times as estimates", n, name, took, known)
			}
		}
	}
}

// bounds returns the time of the longest chain of steps, and the sum of the times of all steps.
func bounds(g *plan.Graph, work map[string]time.Duration) (longest, all time.Duration) {
	ends := map[string]time.Duration{}
	for _, s := range g.Steps() {
		for _, in := range g.Requires(s.ID) {
			ends[s.ID] = max(ends[s.ID], ends[in])
		}
		ends[s.ID] += work[s.ID]
		longest, all = max(longest, ends[s.ID]), all+work[s.ID]
	}
	return longest, all
}

// wrong returns estimates that are up to three times too short or too long.
func wrong(work map[string]time.Duration) map[string]time.Duration {
	r, estimates := rand.New(rand.NewPCG(1, 1)), map[string]time.Duration{}
	for _, id := range slices.Sorted(maps.Keys(work)) {
		estimates[id] = time.Duration(float64(work[id]) * math.Pow(3, 2*r.Float64()-1))
	}
	return estimates
}

// hosts writes a tree with n flavours of the shipped features. The flavours differ in their host name.
func hosts(t testing.TB, n int) string {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "features"), os.DirFS(filepath.Join(treetest.Shipped(t), "features"))); err != nil {
		t.Fatal(err)
	}
	b := "flavours:\n"
	for i := range n {
		b += fmt.Sprintf("  f%d: {distribution: {suite: testing, arch: amd64}, features: [podman, ostreeRepo, ostreeImage, sysext-debug], set: {base: {hostname: h%d}}}\n", i, i)
	}
	treetest.Write(t, filepath.Join(dir, "flavours/hosts.yaml"), b)
	return dir
}

// BenchmarkPlanMany plans flavours together and divides them, up to as many as a tree can have.
func BenchmarkPlanMany(b *testing.B) {
	builder, err := build.Open(build.Options{Tree: kinds(b, 1000)})
	if err != nil {
		b.Fatal(err)
	}
	project, _, err := builder.Load()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{250, 500, 1000, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var names []string
			for i := range n {
				names = append(names, project.Flavours[i].Name)
			}
			var held uint64
			for b.Loop() {
				all, faults, err := builder.Outlines(b.Context(), project, names)
				if err != nil || len(faults) > 0 {
					b.Fatal(err, faults)
				}
				build.Divide(all, nil, 64)
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				held = max(held, m.HeapInuse)
				runtime.KeepAlive(all)
			}
			b.ReportMetric(float64(held>>20), "heap-MiB")
		})
	}
}

// kinds writes a tree with n flavours for each of two architectures: of twenty kinds, which have packages of
// their own; those of a kind differ in a script and its parameter.
func kinds(t testing.TB, n int) string {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "features"), os.DirFS(filepath.Join(treetest.Shipped(t), "features"))); err != nil {
		t.Fatal(err)
	}
	const kinds, perFile = 20, 500
	r := rand.New(rand.NewPCG(1, 1))
	for k := range kinds {
		var packages strings.Builder
		for range 2 + r.IntN(12) {
			fmt.Fprintf(&packages, "package-%d\n", r.IntN(60))
		}
		treetest.WriteAll(t, filepath.Join(dir, fmt.Sprintf("features/kind%d", k)), map[string]string{"info.yaml": "type: element\n", "pkg.include": packages.String()})
	}
	var b strings.Builder
	for i := range n {
		if i%perFile == 0 {
			b.WriteString("flavours:\n")
		}
		for _, arch := range []string{"amd64", "arm64"} {
			fmt.Fprintf(&b, "  f%05d-%s: {distribution: {suite: testing, arch: %s}, features: [ostreeImage, podman, kind%d], set: {base: {hostname: h%d}}}\n", i, arch, arch, i%kinds, i)
		}
		if i%perFile == perFile-1 || i == n-1 {
			treetest.Write(t, filepath.Join(dir, fmt.Sprintf("flavours/all%d.yaml", i/perFile)), b.String())
			b.Reset()
		}
	}
	return dir
}

// outlinesOf plans all flavours of a tree.
func outlinesOf(t testing.TB, dir string) ([]*build.Outline, time.Duration) {
	t.Helper()
	b, err := build.Open(build.Options{Tree: dir})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range project.Flavours {
		names = append(names, f.Name)
	}
	all, faults, err := b.Outlines(context.Background(), project, names)
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	return all, time.Since(begun)
}

// merged is one graph of the steps of all plans, each called by its key, and how long each takes.
func merged(t testing.TB, all []*build.Outline) (*plan.Graph, map[string]time.Duration) {
	t.Helper()
	times, err := build.ReadTimes([]string{"testdata/scale/times.json"})
	if err != nil {
		t.Fatal(err)
	}
	g, empty := &plan.Graph{}, t.TempDir()
	for _, o := range all {
		name := func(id string) string {
			if id == "" {
				return ""
			}
			return o.Graph.Key(id)
		}
		for _, step := range o.Graph.Steps() {
			s := *step
			s.ID, s.Base, s.Tools, s.Inputs, s.Recorded = name(s.ID), name(s.Base), name(s.Tools), map[string]string{}, false
			s.Sources = slices.Clone(s.Sources)
			for i := range s.Sources {
				s.Sources[i].Path = empty // outlines do not keep snapshots
			}
			for as, id := range step.Inputs {
				s.Inputs[as] = name(id)
			}
			if g.Step(s.ID) != nil {
				continue
			}
			if err := g.Add(s); err != nil {
				t.Fatal(err)
			}
			if g.Key(s.ID) != s.ID {
				t.Fatalf("step %s of %s has another key in the merged graph", step.ID, o.Name)
			}
		}
	}
	return g, build.Estimates(times, all)
}
