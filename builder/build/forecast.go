package build

import (
	"runtime"
	"time"

	"github.com/treewright/treewright/builder/engine"
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
	// takes estimates the duration of a step for the engine, also if the time of the step is not known.
	takes func(id string) time.Duration
}

// expectation is how long a step will take, and it together with all that follows.
// Each is 0 if it is not known.
type expectation struct{ own, left time.Duration }

// expect estimates how long missing steps will take.
func (b *Builder) expect(p *Prepared, missing []string, e *engine.Engine) forecast {
	if len(missing) == 0 {
		return forecast{}
	}
	// If the manifest cannot be read, for any reason, all times are unknown.
	m, err := publish.ReadManifest(p.Output)
	known := Times{}
	if err == nil {
		for _, s := range m.Steps {
			known.add(p.Subject.Name, s.ID, s.Seconds)
		}
	}
	workers := b.options.Jobs
	switch {
	case workers > 0:
	case e.Sent != nil:
		workers = e.Actions
	default:
		workers = runtime.NumCPU()
	}
	return foresee(&Outline{Name: p.Subject.Name, Graph: p.Graph, Locked: true}, missing, known, workers)
}

// foresee makes the schedule of missing steps, which are in the graph's order, with the
// times that are known.
func foresee(o *Outline, missing []string, known Times, workers int) forecast {
	g, times := o.Graph, known[o.Name]
	takes := takes(g, known.estimates([]*Outline{o}))
	ends, total := ended(engine.NewSchedule(g, missing, takes, nil, 0), times, workers)
	unknown := map[string]bool{}
	for _, id := range missing {
		if _, ok := times[id]; !ok {
			unknown[id] = true
		}
	}
	f := forecast{steps: map[string]expectation{}, takes: takes}
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

// takes returns the estimates for the engine's schedule. They are whole seconds, at least one, so that small differences between two
// builds do not change the order of steps.
func takes(g *plan.Graph, estimates map[string]time.Duration) func(id string) time.Duration {
	return func(id string) time.Duration { return max(time.Second, estimates[g.Key(id)].Round(time.Second)) }
}

// ended takes the steps of a schedule as the engine does, without running them. It returns the time from the start to the end of each step,
// and to the end of the last step. A step without a known time takes 0 s.
func ended(steps *engine.Schedule, times map[string]time.Duration, workers int) (ends map[string]time.Duration, total time.Duration) {
	ends = map[string]time.Duration{}
	var running []string
	for {
		for len(running) < workers {
			id := steps.Next(func(int) bool { return true })
			if id == "" {
				break
			}
			ends[id] = total + times[id]
			running = append(running, id)
		}
		if len(running) == 0 {
			return ends, total
		}
		first := 0
		for i, id := range running {
			if ends[id] < ends[running[first]] {
				first = i
			}
		}
		id := running[first]
		running, total = append(running[:first:first], running[first+1:]...), ends[id]
		steps.Done(id)
	}
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
