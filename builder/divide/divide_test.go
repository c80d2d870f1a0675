package divide

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// made returns an item with steps that are written as KEY=SECONDS.
func made(name, arch, steps string) Item {
	it := Item{Name: name, Arch: arch, Steps: map[string]time.Duration{}}
	for _, s := range strings.Fields(steps) {
		key, n, _ := strings.Cut(s, "=")
		d, err := time.ParseDuration(n + "s")
		if err != nil {
			panic(err)
		}
		it.Steps[key] = d
	}
	return it
}

// shown returns a division as one line.
func shown(jobs []Job) string {
	var all []string
	for _, j := range jobs {
		all = append(all, fmt.Sprintf("%s %v: %s", strings.Join(j.Archs, "+"), j.Work.Seconds(), strings.Join(j.Items, " ")))
	}
	return strings.Join(all, "; ")
}

func TestInto(t *testing.T) {
	related := []Item{
		made("a1", "amd64", "a=100 a1=10"), made("b1", "amd64", "b=100 b1=10"),
		made("a2", "amd64", "a=100 a2=10"), made("b2", "amd64", "b=100 b2=10"),
	}
	archs := []Item{made("x", "amd64", "x=10"), made("y", "arm64", "y=30"), made("z", "amd64", "z=10"), made("w", "riscv64", "w=1")}
	for _, c := range []struct {
		name  string
		items []Item
		n     int
		want  string
	}{
		{"the same steps come together", related, 2, "amd64 120: a1 a2; amd64 120: b1 b2"},
		{"more jobs than items", related, 9, "amd64 110: a1; amd64 110: b1; amd64 110: a2; amd64 110: b2"},
		{"one job", related, 1, "amd64 240: a1 b1 a2 b2"},
		{"little work is one job", related, 0, "amd64 240: a1 b1 a2 b2"},
		{"much work", []Item{made("a", "amd64", "a=900"), made("b", "amd64", "b=900"), made("c", "amd64", "c=900 d=100")}, 0, "amd64 900: a; amd64 900: b; amd64 1000: c"},
		{"architectures are apart", archs, 3, "amd64 20: x z; arm64 30: y; riscv64 1: w"},
		{"as far as there are jobs", archs, 2, "amd64+riscv64 21: x z w; arm64 30: y"},
		{"all in one", archs, 1, "arm64+amd64+riscv64 51: x y z w"},
		{"none", nil, 3, ""},
		{"items without work", []Item{made("a", "amd64", ""), made("b", "amd64", "")}, 2, "amd64 0: a b"},
		{"a step with two times takes the longer one", []Item{made("a", "amd64", "s=1"), made("b", "amd64", "s=5")}, 1, "amd64 5: a b"},
	} {
		if got := shown(Into(c.items, c.n)); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestEachOnce: each item is in one job, for all items and orders. A job has one architecture if there
// are enough jobs. The work of a job is the work of its steps. The order of the items does not change
// which items are together.
func TestEachOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		var items []Item
		archs := []string{"amd64", "arm64", "riscv64"}[:1+r.IntN(3)]
		for i := range 1 + r.IntN(60) {
			it := Item{Name: fmt.Sprintf("f%02d", i), Arch: archs[r.IntN(len(archs))], Steps: map[string]time.Duration{}}
			family := r.IntN(4)
			for s := range r.IntN(20) {
				key := fmt.Sprintf("%s/%d/%d", it.Arch, family, s)
				if s > 10 {
					key += it.Name
				}
				it.Steps[key] = time.Duration(1+s) * time.Second
			}
			items = append(items, it)
		}
		n := 1 + r.IntN(12)
		jobs := Into(items, n)
		if len(jobs) > n {
			t.Fatalf("round %d: %d jobs, of at most %d", round, len(jobs), n)
		}
		seen := map[string]int{}
		for _, j := range jobs {
			if len(archs) <= n && len(j.Archs) > 1 {
				t.Errorf("round %d: a job of %d has %v", round, n, j.Archs)
			}
			union := map[string]time.Duration{}
			for _, name := range j.Items {
				seen[name]++
				i := slices.IndexFunc(items, func(it Item) bool { return it.Name == name })
				for key, d := range items[i].Steps {
					union[key] = d
				}
			}
			var work time.Duration
			for _, d := range union {
				work += d
			}
			if work != j.Work {
				t.Errorf("round %d: the work is %v, not %v", round, j.Work, work)
			}
		}
		for _, it := range items {
			if seen[it.Name] != 1 {
				t.Errorf("round %d: %s is in %d jobs", round, it.Name, seen[it.Name])
			}
		}
		mixed := slices.Clone(items)
		r.Shuffle(len(mixed), func(i, k int) { mixed[i], mixed[k] = mixed[k], mixed[i] })
		if a, b := together(jobs), together(Into(mixed, n)); !slices.Equal(a, b) {
			t.Errorf("round %d: in another order the jobs are\n%v, not\n%v", round, b, a)
		}
	}
}

// together returns the jobs as sorted names.
func together(jobs []Job) []string {
	var all []string
	for _, j := range jobs {
		names := slices.Clone(j.Items)
		slices.Sort(names)
		all = append(all, strings.Join(names, " "))
	}
	slices.Sort(all)
	return all
}

// BenchmarkInto divides ten thousand items of forty steps. They share thirty of the steps.
func BenchmarkInto(b *testing.B) {
	var items []Item
	for i := range 10_000 {
		it := Item{Name: fmt.Sprintf("f%05d", i), Arch: []string{"amd64", "arm64"}[i%2], Steps: map[string]time.Duration{}}
		for s := range 40 {
			key := fmt.Sprintf("%s/%d/%d", it.Arch, i/2%20, s)
			if s >= 30 {
				key = fmt.Sprintf("%s/%d", it.Name, s)
			}
			it.Steps[key] = time.Duration(1+s) * time.Second
		}
		items = append(items, it)
	}
	for b.Loop() {
		Into(items, 64)
	}
}
