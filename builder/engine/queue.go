package engine

import "container/heap"

// queue has the steps that are ready. First comes the one with the most steps below it, one after the
// other, as the build cannot end before these have run; of equal ones the one that was ready first. They are
// kept apart by the memory that they need, of which there are few different amounts: with thousands of
// steps that wait for memory, no step looks at all of them.
type queue struct {
	turn   int
	byNeed map[int]*turns
}

// turn is a step, how many steps wait for it one after the other, and when it was put into the queue.
type turn struct {
	id          string
	below, turn int
}

func (a turn) before(b turn) bool {
	return a.below > b.below || a.below == b.below && a.turn < b.turn
}

// turns are a heap, for package heap.
type turns []turn

func (t turns) Len() int           { return len(t) }
func (t turns) Less(i, j int) bool { return t[i].before(t[j]) }
func (t turns) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *turns) Push(x any)        { *t = append(*t, x.(turn)) }
func (t *turns) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

func (q *queue) put(id string, need, below int) {
	if q.byNeed == nil {
		q.byNeed = map[int]*turns{}
	}
	if q.byNeed[need] == nil {
		q.byNeed[need] = &turns{}
	}
	q.turn++
	heap.Push(q.byNeed[need], turn{id, below, q.turn})
}

// take removes the first step whose need fits, and returns it; "" if none fits.
func (q *queue) take(fits func(need int) bool) string {
	var first turn
	from := 0
	for need, steps := range q.byNeed {
		if fits(need) && (first.id == "" || (*steps)[0].before(first)) {
			first, from = (*steps)[0], need
		}
	}
	if first.id == "" {
		return ""
	}
	if heap.Pop(q.byNeed[from]); q.byNeed[from].Len() == 0 {
		delete(q.byNeed, from)
	}
	return first.id
}
