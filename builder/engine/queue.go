package engine

// queue has the steps that are ready, in the order in which they became so. They are kept apart by
// the memory that they need, of which there are few different amounts: with thousands of
// steps that wait for memory, no step looks at all of them.
type queue struct {
	turn   int
	byNeed map[int][]turn
}

// turn is a step, and when it was put into the queue.
type turn struct {
	id   string
	turn int
}

func (q *queue) put(id string, need int) {
	if q.byNeed == nil {
		q.byNeed = map[int][]turn{}
	}
	q.turn++
	q.byNeed[need] = append(q.byNeed[need], turn{id, q.turn})
}

// take removes the first step whose need fits, and returns it; "" if none fits.
func (q *queue) take(fits func(need int) bool) string {
	first, from := turn{}, 0
	for need, steps := range q.byNeed {
		if fits(need) && (first.id == "" || steps[0].turn < first.turn) {
			first, from = steps[0], need
		}
	}
	if first.id == "" {
		return ""
	}
	if q.byNeed[from] = q.byNeed[from][1:]; len(q.byNeed[from]) == 0 {
		delete(q.byNeed, from)
	}
	return first.id
}
