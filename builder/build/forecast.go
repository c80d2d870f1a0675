package build

import (
	"math"
	"runtime"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

// forecast is how long the steps that must run will take, as the last build tells. It is
// for people: that steps also wait for memory is left out.
type forecast struct {
	steps map[string]expectation
	// total is how long all of it will take, 0 if that is not known.
	total time.Duration
}

// expectation is how long a step will take, and it together with all that follows.
// Each is 0 if it is not known.
type expectation struct{ own, left time.Duration }

// expect estimates how long missing steps will take.
func (b *Builder) expect(p *Prepared, missing []string) forecast {
	// Without a manifest nothing is known, whatever the reason.
	m, err := publish.ReadManifest(p.Output)
	if err != nil {
		return forecast{}
	}
	times := map[string]time.Duration{}
	for _, s := range m.Steps {
		if s.Seconds >= 0 && s.Seconds < math.MaxInt32 {
			// At least a millisecond, because 0 means that it is not known.
			times[s.ID] = max(time.Millisecond, time.Duration(s.Seconds*float64(time.Second)))
		}
	}
	workers := b.options.Jobs
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	return foresee(p.Graph, missing, times, workers)
}

// foresee makes the schedule of missing steps, which are in the graph's order, with the
// times that are known.
func foresee(g *plan.Graph, missing []string, times map[string]time.Duration, workers int) forecast {
	ends, total := schedule(g, missing, times, workers)
	unknown := map[string]bool{}
	for _, id := range missing {
		if _, ok := times[id]; !ok {
			unknown[id] = true
		}
	}
	f := forecast{steps: map[string]expectation{}}
	if len(unknown) == 0 {
		f.total = total
	}
	for _, id := range missing {
		e := expectation{own: times[id]}
		// What is not known has to be over when the step starts.
		if !unknown[id] && within(g.Before([]string{id}), unknown) {
			e.left = e.own + total - ends[id]
		}
		f.steps[id] = e
	}
	return f
}

// schedule runs steps as the engine does, without running them, and says when each
// ends and when all have. A step whose time is not known takes none.
func schedule(g *plan.Graph, missing []string, times map[string]time.Duration, workers int) (ends map[string]time.Duration, total time.Duration) {
	ends = map[string]time.Duration{}
	waitsFor, usedBy := map[string]int{}, map[string][]string{}
	wanted := map[string]bool{}
	for _, id := range missing {
		wanted[id] = true
	}
	var ready, running []string
	for _, id := range missing {
		for _, in := range g.Requires(id) {
			if wanted[in] {
				waitsFor[id]++
				usedBy[in] = append(usedBy[in], id)
			}
		}
		if waitsFor[id] == 0 {
			ready = append(ready, id)
		}
	}
	for len(ready)+len(running) > 0 {
		for len(ready) > 0 && len(running) < workers {
			ends[ready[0]] = total + times[ready[0]]
			running, ready = append(running, ready[0]), ready[1:]
		}
		first := 0
		for i, id := range running {
			if ends[id] < ends[running[first]] {
				first = i
			}
		}
		id := running[first]
		running, total = append(running[:first:first], running[first+1:]...), ends[id]
		for _, user := range usedBy[id] {
			if waitsFor[user]--; waitsFor[user] == 0 {
				ready = append(ready, user)
			}
		}
	}
	return ends, total
}

// within reports whether all has every step of some.
func within(all []string, some map[string]bool) bool {
	found := 0
	for _, id := range all {
		if some[id] {
			found++
		}
	}
	return found == len(some)
}

// foretelling adds to the start of each step how long the step is expected to take, and to
// all steps their features.
type foretelling struct {
	event.Sink
	forecast forecast
	subject  *Subject
}

func (s foretelling) Emit(e event.Event) {
	if e.Kind == event.StepStarted || e.Kind == event.StepCached {
		e.Feature, _ = FeatureOf(s.subject, e.Step)
	}
	if e.Kind == event.StepStarted {
		known := s.forecast.steps[e.Step]
		e.Expected, e.Left = known.own, known.left
	}
	s.Sink.Emit(e)
}
