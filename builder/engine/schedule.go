package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/treewright/treewright/builder/plan"
)

// Schedule decides which step comes next. It does not run steps or read a clock, so forecasts use it, too.
//
// A build cannot end before its longest chain of steps has run. So on this machine, the step with the longest chain of steps after it comes
// first. This order is slow on other machines, because they have to fetch each input that they do not have: all flavours of a large build
// advance together, and a machine seldom gets the next step of a tree that it has. So among sent steps, only urgent steps come first. A
// step is urgent if its chain takes at least as long as all steps still to be sent, divided by the number of steps that run at once. After
// urgent steps, the newest step comes first, because its input was most often just made.
type Schedule struct {
	graph    *plan.Graph
	waitsFor map[string]int           // step -> how many steps it waits for
	usedBy   map[string][]string      // step -> steps that wait for it
	left     map[string]time.Duration // step -> how long it and the longest chain of steps after it take
	takes    func(id string) time.Duration
	sent     func(s *plan.Step) bool
	here     queue
	toSend   queue
	actions  int
	rest     time.Duration // the sum of takes of all steps that are still to be sent
}

// NewSchedule returns the schedule of the steps that must run. missing has their IDs, in the graph's order. takes estimates how long a step
// takes; nil counts all steps the same. sent reports whether a step is sent to another machine; nil if all steps run on this machine.
// actions is the number of sent steps that run at once.
func NewSchedule(g *plan.Graph, missing []string, takes func(id string) time.Duration, sent func(s *plan.Step) bool, actions int) *Schedule {
	if takes == nil {
		takes = func(string) time.Duration { return time.Second }
	}
	if sent == nil {
		sent = func(*plan.Step) bool { return false }
	}
	s := &Schedule{graph: g, waitsFor: map[string]int{}, usedBy: map[string][]string{}, left: map[string]time.Duration{}, takes: takes, sent: sent, actions: actions}
	wanted := map[string]bool{}
	for _, id := range missing {
		wanted[id] = true
	}
	for _, id := range missing {
		for _, in := range g.Requires(id) {
			if wanted[in] {
				s.waitsFor[id]++
				s.usedBy[in] = append(s.usedBy[in], id)
			}
		}
	}
	// A step comes after the steps that it requires.
	for _, id := range slices.Backward(missing) {
		for _, user := range s.usedBy[id] {
			s.left[id] = max(s.left[id], s.left[user])
		}
		s.left[id] += takes(id)
		if sent(g.Step(id)) {
			s.rest += takes(id)
		}
	}
	s.put(missing)
	return s
}

// put queues the given steps that do not wait for other steps. It puts the step with the longest chain last, so that this step is the
// newest: it often has the largest inputs, and the worker that has just made its input is free now.
func (s *Schedule) put(ids []string) {
	ready := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return s.waitsFor[id] > 0 })
	slices.Reverse(ready) // so that among equal steps, the first in the graph is the newest
	slices.SortStableFunc(ready, func(a, b string) int { return cmp.Compare(s.left[a], s.left[b]) })
	for _, id := range ready {
		if step := s.graph.Step(id); s.sent(step) {
			s.toSend.put(id, 0, s.left[id])
		} else {
			s.here.put(id, memoryOf(step), s.left[id])
		}
	}
}

// Next removes and returns the first ready step of this machine; "" if such a step does not exist. fits reports whether a step that needs
// so many MiB of memory can run now.
func (s *Schedule) Next(fits func(need int) bool) string { return s.here.take(fits, 0) }

// NextSent removes and returns the first ready step that is sent to another machine; "" if such a step does not exist. The memory of sent
// steps is not counted.
func (s *Schedule) NextSent() string {
	id := s.toSend.take(func(int) bool { return true }, s.rest/time.Duration(max(1, s.actions)))
	if id != "" {
		s.rest -= s.takes(id)
	}
	return id
}

// Done records that a step has ended. Steps that waited only for this step are ready then.
func (s *Schedule) Done(id string) {
	for _, user := range s.usedBy[id] {
		s.waitsFor[user]--
	}
	s.put(s.usedBy[id])
}

func memoryOf(s *plan.Step) int {
	if s.MemoryMiB > 0 {
		return s.MemoryMiB
	}
	return defaultMemoryMiB
}
