package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/treewright/treewright/builder/plan"
)

// Schedule decides which step comes next. It has no clock and no workers, so a forecast can use it, too.
//
// A build cannot end before its longest chain of steps has run, one after the other. So the step comes first that
// takes longest together with what waits for it. This is slow on other machines, each of which has to fetch what another one made:
// all flavours of a large build advance together, and a machine seldom gets the next step of the tree that it has. So there, only
// chains come first that take longer than all that is left does, divided among the machines. If there are none, the newest step
// comes first, which most often works on what was just made.
type Schedule struct {
	graph    *plan.Graph
	waitsFor map[string]int           // step -> how many steps it waits for
	usedBy   map[string][]string      // step -> steps that wait for it
	left     map[string]time.Duration // step -> how long it and what waits for it take, one after the other
	takes    func(id string) time.Duration
	sent     func(s *plan.Step) bool
	here     queue
	toSend   queue
	actions  int
	rest     time.Duration // that steps take which are still to be sent
}

// NewSchedule returns the schedule of steps that must run; they are in the graph's order. takes is how long a step
// takes; if it is nil, all take the same time. sent reports whether a step runs on another machine; nil if none does. Actions
// is how many of these run at once.
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
	// Steps come after those that they require.
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

// put queues those of steps that wait for none. As the newest one comes first, the one with the longest chain is put
// last: the worker that made its input is free now, and the longest chain often has the largest inputs.
func (s *Schedule) put(ids []string) {
	ready := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return s.waitsFor[id] > 0 })
	slices.Reverse(ready) // of equal ones, the first in the graph comes first
	slices.SortStableFunc(ready, func(a, b string) int { return cmp.Compare(s.left[a], s.left[b]) })
	for _, id := range ready {
		if step := s.graph.Step(id); s.sent(step) {
			s.toSend.put(id, 0, s.left[id])
		} else {
			s.here.put(id, memoryOf(step), s.left[id])
		}
	}
}

// Next removes the first ready step of this machine whose need of memory, in MiB, fits, and returns it; "" if there is none now.
func (s *Schedule) Next(fits func(need int) bool) string { return s.here.take(fits, 0) }

// NextSent is Next for the steps of other machines, whose memory is not known.
func (s *Schedule) NextSent() string {
	id := s.toSend.take(func(int) bool { return true }, s.rest/time.Duration(max(1, s.actions)))
	if id != "" {
		s.rest -= s.takes(id)
	}
	return id
}

// Done has the steps run that waited for this one only.
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
