package engine

import (
	"container/heap"
	"time"
)

// queue has the ready steps, by the memory that they need. The number of different amounts is small, so take looks at few steps even if
// thousands wait for memory.
type queue struct {
	turn   int
	byNeed map[int]*turns
}

// turn is a step in the queue.
type turn struct {
	id    string
	left  time.Duration // how long the step and the longest chain of steps after it take
	turn  int           // a number that grows with each step that is put into the queue
	taken bool
}

// before reports whether a step comes before another step. Steps with a left of at least urgent come before other steps, and the largest
// left comes first. Among other steps, and among steps with an equal left, the newest step comes first.
func (a *turn) before(b *turn, urgent time.Duration) bool {
	switch now := a.left >= urgent; {
	case now != (b.left >= urgent):
		return now
	case now && a.left != b.left:
		return a.left > b.left
	}
	return a.turn > b.turn
}

// turns are the steps that need the same memory. Each step is in a heap, by left, and in a list, by arrival. A step that was taken from the
// heap or the list stays in the other. It is skipped when it becomes the first step there.
type turns struct {
	longest byLeft
	newest  []*turn
}

// byLeft is a heap, for package heap.
type byLeft []*turn

func (t byLeft) Len() int           { return len(t) }
func (t byLeft) Less(i, j int) bool { return t[i].before(t[j], 0) }
func (t byLeft) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *byLeft) Push(x any)        { *t = append(*t, x.(*turn)) }
func (t *byLeft) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

func (q *queue) put(id string, need int, left time.Duration) {
	if q.byNeed == nil {
		q.byNeed = map[int]*turns{}
	}
	t := q.byNeed[need]
	if t == nil {
		t = &turns{}
		q.byNeed[need] = t
	}
	q.turn++
	step := &turn{id: id, left: left, turn: q.turn}
	heap.Push(&t.longest, step)
	t.newest = append(t.newest, step)
}

// first returns the first step, or nil if all were taken.
func (t *turns) first(urgent time.Duration) *turn {
	for len(t.longest) > 0 && t.longest[0].taken {
		heap.Pop(&t.longest)
	}
	if len(t.longest) == 0 {
		return nil
	}
	if t.longest[0].left >= urgent {
		return t.longest[0]
	}
	last := len(t.newest) - 1
	for t.newest[last].taken {
		last--
	}
	t.newest = t.newest[:last+1]
	return t.newest[last]
}

// take removes the first step whose need fits, and returns it; "" if none fits.
func (q *queue) take(fits func(need int) bool, urgent time.Duration) string {
	var first *turn
	for need, steps := range q.byNeed {
		if !fits(need) {
			continue
		}
		step := steps.first(urgent)
		if step == nil {
			delete(q.byNeed, need)
		} else if first == nil || step.before(first, urgent) {
			first = step
		}
	}
	if first == nil {
		return ""
	}
	first.taken = true
	return first.id
}
