package divide

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Most is the largest number of jobs if their number is not given. A matrix of GitHub does
// not allow more.
const Most = 256

// usual is the least work of a job if the number of jobs is not given, so that the time to
// start a machine does not count.
const usual = 20 * time.Minute

// Item is a thing that is to be built.
type Item struct {
	Name, Arch string
	// Steps are its steps, by their keys, and how long each takes. Two items with the same
	// step share its work if they are in one job.
	Steps map[string]time.Duration
}

// Job is the work of one machine.
type Job struct {
	// Archs are the architectures of the items. This is one, unless there are fewer jobs than
	// architectures. The architecture with the most work is the first.
	Archs []string
	// Items are the names of the items, in their order.
	Items []string
	// Work is the time that all steps take, each done once.
	Work time.Duration
}

// Into divides items into at most n jobs. If n is 0, Into chooses the number. Each job has an
// item. Into fills jobs up to a limit, and looks for a low limit at which all items fit, so that
// the longest job is short. The items with the most work come first, and each goes into the
// job where it adds the least work.
//
// Into computes in whole numbers, because machines may round fractions differently.
func Into(items []Item, n int) []Job {
	if len(items) == 0 {
		return nil
	}
	p := newPacker(items)
	longest := slices.MaxFunc(p.items, func(a, b item) int { return cmp.Compare(a.work, b.work) }).work
	if n == 0 {
		p.groups = p.byArch()
		bins, _ := p.pack(max(longest, int64(usual)), len(items))
		n = min(len(bins), Most)
	}
	if p.groups = p.byArch(); len(p.groups) > n {
		p.groups = p.together()
	}
	high := int64(0)
	for _, w := range p.weights {
		high += w
	}
	low, best := longest, []bin(nil)
	if bins, ok := p.pack(low, n); ok {
		return p.jobs(items, bins)
	}
	for high-low > high/200+1 || best == nil {
		middle := low + (high-low)/2
		if best == nil && high-low <= high/200+1 {
			middle = high // this always fits
		}
		if bins, ok := p.pack(middle, n); ok {
			best, high = bins, middle
		} else {
			low = middle
		}
	}
	return p.jobs(items, best)
}

// packer has the items with their steps as numbers.
type packer struct {
	items   []item
	weights []int64 // of steps
	// groups are the items that may be in one job, those with the most work first.
	groups [][]int
}

type item struct {
	steps []int
	work  int64
	name  string
	arch  string
}

// bin is a job that is being filled.
type bin struct {
	items []int
	has   []uint64 // a bit for each step
	work  int64
}

func newPacker(items []Item) *packer {
	p := &packer{}
	number := map[string]int{}
	for _, it := range items {
		one := item{name: it.Name, arch: it.Arch}
		for key, d := range it.Steps {
			n, known := number[key]
			if !known {
				n = len(p.weights)
				number[key] = n
				p.weights = append(p.weights, 0)
			}
			// Items may give different times for the same step.
			p.weights[n] = max(p.weights[n], int64(d), 0)
			one.steps = append(one.steps, n)
		}
		p.items = append(p.items, one)
	}
	for i := range p.items {
		for _, s := range p.items[i].steps {
			p.items[i].work += p.weights[s]
		}
	}
	return p
}

// together returns one group of all items.
func (p *packer) together() [][]int {
	all := make([]int, len(p.items))
	for i := range all {
		all[i] = i
	}
	slices.SortFunc(all, func(a, b int) int {
		return cmp.Or(cmp.Compare(p.items[b].work, p.items[a].work), strings.Compare(p.items[a].name, p.items[b].name))
	})
	return [][]int{all}
}

// byArch returns a group for each architecture.
func (p *packer) byArch() [][]int {
	groups := map[string][]int{}
	var archs []string
	for _, i := range p.together()[0] {
		arch := p.items[i].arch
		if groups[arch] == nil {
			archs = append(archs, arch)
		}
		groups[arch] = append(groups[arch], i)
	}
	slices.Sort(archs)
	var out [][]int
	for _, arch := range archs {
		out = append(out, groups[arch])
	}
	return out
}

// pack fills bins up to a limit, and reports whether n of them suffice.
func (p *packer) pack(limit int64, n int) ([]bin, bool) {
	var bins []bin
	for _, group := range p.groups {
		first := len(bins)
		for _, i := range group {
			it := p.items[i]
			best, least := -1, it.work
			for b := first; b < len(bins); b++ {
				if added := p.added(&bins[b], it); bins[b].work+added <= limit && (best < 0 || added < least) {
					best, least = b, added
				}
			}
			if best < 0 {
				if len(bins) == n {
					return nil, false
				}
				bins, best = append(bins, bin{has: make([]uint64, len(p.weights)/64+1)}), len(bins)
			}
			bins[best].take(i, it, least)
		}
	}
	return bins, true
}

// added returns the work that an item adds to a bin.
func (p *packer) added(b *bin, it item) int64 {
	left := it.work
	for _, s := range it.steps {
		if b.has[s/64]&(1<<(s%64)) != 0 {
			left -= p.weights[s]
		}
	}
	return left
}

func (b *bin) take(i int, it item, added int64) {
	b.items, b.work = append(b.items, i), b.work+added
	for _, s := range it.steps {
		b.has[s/64] |= 1 << (s % 64)
	}
}

// jobs returns the contents of bins, in the order of the architectures and of the first items.
func (p *packer) jobs(items []Item, bins []bin) []Job {
	for _, b := range bins {
		slices.Sort(b.items)
	}
	var jobs []Job
	for _, b := range bins {
		j := Job{Work: time.Duration(b.work)}
		work := map[string]int64{}
		for _, i := range b.items {
			it := items[i]
			j.Items = append(j.Items, it.Name)
			work[it.Arch] += p.items[i].work
			if !slices.Contains(j.Archs, it.Arch) {
				j.Archs = append(j.Archs, it.Arch)
			}
		}
		slices.SortFunc(j.Archs, func(a, b string) int { return cmp.Or(cmp.Compare(work[b], work[a]), strings.Compare(a, b)) })
		jobs = append(jobs, j)
	}
	position := map[string]int{}
	for i, it := range items {
		position[it.Name] = i
	}
	slices.SortFunc(jobs, func(a, b Job) int {
		return cmp.Or(strings.Compare(a.Archs[0], b.Archs[0]), cmp.Compare(position[a.Items[0]], position[b.Items[0]]))
	})
	return jobs
}
