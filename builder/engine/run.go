package engine

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Missing returns which steps must run so that the targets have results,
// in the graph's order, and those whose results serve them. A result that a step,
// or who asks for it, is to work on is checked, and if it is damaged counts as missing.
func (e *Engine) Missing(g *plan.Graph, targets []string) (missing, cached []string, err error) {
	return e.missing(g, targets, nil)
}

// missing is Missing if the results of the steps elsewhere were here, too. These are in neither list.
func (e *Engine) missing(g *plan.Graph, targets []string, elsewhere map[string]bool) (missing, cached []string, err error) {
	need := map[string]bool{}
	have := map[string]bool{} // whether the result is worked on
	var visit func(id string, used bool) error
	visit = func(id string, used bool) error {
		if checked, ok := have[id]; need[id] || elsewhere[id] || ok && (checked || !used) {
			return nil
		}
		ok, err := e.serves(g, id, used)
		if err != nil {
			return err
		}
		if ok {
			have[id] = used
			return nil
		}
		delete(have, id)
		need[id] = true
		for _, in := range g.Requires(id) {
			if err := visit(in, true); err != nil {
				return err
			}
		}
		return nil
	}
	for _, t := range targets {
		// What is published has records of its own (see Finished.Publish); of
		// the others the caller is going to use all.
		if err := visit(t, len(g.Step(t).Artifacts) == 0); err != nil {
			return nil, nil, err
		}
	}
	for _, s := range g.Steps() {
		if need[s.ID] {
			missing = append(missing, s.ID)
		} else if _, ok := have[s.ID]; ok {
			cached = append(cached, s.ID)
		}
	}
	return missing, cached, nil
}

// serves reports whether a step has a result, which must be good if it is used.
func (e *Engine) serves(g *plan.Graph, id string, used bool) (bool, error) {
	key := g.Key(id)
	if !used {
		if _, ok, err := e.Store.Get(key); err != nil || ok {
			return ok, err
		}
	}
	ok, why, err := e.Store.Sound(key)
	if err != nil || ok {
		return ok, err
	}
	if why != "" && !e.said[key] {
		if e.said == nil {
			e.said = map[string]bool{}
		}
		e.said[key] = true
		e.Sink.Emit(event.Event{Time: time.Now(), Kind: event.Warning, Line: why + "; " + id + " is made again"})
	}
	return false, nil
}

// Run makes the targets' results, running what is missing in as much parallel
// as workers and memory allow. After the first failure no new step starts;
// those that run are stopped.
func (e *Engine) Run(ctx context.Context, g *plan.Graph, targets []string) (*Outcome, error) {
	missing, cached, err := e.Missing(g, targets)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Results: map[string]layer.Result{}, Ran: map[string]bool{}}
	for _, id := range cached {
		s := g.Step(id)
		r, _, err := e.Store.Get(g.Key(id))
		if err != nil {
			return nil, err
		}
		out.Results[id] = r
		e.Store.Touch(g.Key(id))
		e.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepCached, Step: id, Stage: s.Stage, Title: s.Title, Key: g.Key(id)})
	}
	e.warnAgain(g, targets, missing)
	push := e.newPusher(ctx, g, targets)
	sched := &scheduler{engine: e, graph: g, schedule: NewSchedule(g, missing, e.Takes, e.Sent, e.Actions), sent: map[string]bool{}, out: out, push: push}
	err = sched.run(ctx, len(missing))
	push.wait(ctx)
	if err == nil {
		err = context.Cause(ctx) // results may not have been pushed
	}
	return out, err
}

// scheduler is the state of one run.
type scheduler struct {
	engine *Engine
	graph  *plan.Graph
	out    *Outcome
	push   *pusher

	mu       sync.Mutex
	schedule *Schedule
	running  int
	sent     map[string]bool // the steps that run on other machines now; running does not count them
	memory   int             // MiB reserved for steps that run here
	failed   error
}

// run runs the steps of the schedule; steps is their number.
func (s *scheduler) run(ctx context.Context, steps int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := s.engine.Workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	limit := s.engine.MemoryMiB
	if limit <= 0 {
		limit = AvailableMemory()
	}
	finished := make(chan struct{}, steps)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for s.failed == nil && ctx.Err() == nil {
			id := s.next(workers, limit)
			if id == "" {
				break
			}
			go func() {
				r, ran, err := s.engine.one(ctx, s.graph, id)
				s.mu.Lock()
				defer s.mu.Unlock()
				s.done(id, r, ran, err, cancel)
				finished <- struct{}{}
			}()
		}
		if s.running == 0 && len(s.sent) == 0 {
			break
		}
		s.mu.Unlock()
		<-finished
		s.mu.Lock()
	}
	if s.failed != nil {
		return s.failed
	}
	return context.Cause(ctx)
}

// next takes the first ready step for which there is space. A step that wants
// more memory than there is runs when nothing else does.
func (s *scheduler) next(workers, limit int) string {
	if len(s.sent) < max(1, s.engine.Actions) {
		if id := s.schedule.NextSent(); id != "" {
			s.sent[id] = true
			return id
		}
	}
	if s.running >= workers {
		return ""
	}
	id := s.schedule.Next(func(need int) bool { return s.running == 0 || s.memory+need <= limit })
	if id != "" {
		s.running++
		s.memory += memoryOf(s.graph.Step(id))
	}
	return id
}

func (s *scheduler) done(id string, r layer.Result, ran bool, err error, cancel context.CancelCauseFunc) {
	if s.sent[id] {
		delete(s.sent, id)
	} else {
		s.running--
		s.memory -= memoryOf(s.graph.Step(id))
	}
	if err != nil {
		switch {
		case s.failed == nil:
			s.failed = err
			cancel(errStopped)
		case !errors.Is(err, errStopped) && !errors.Is(err, context.Canceled):
			// It failed by itself just when another one did.
			s.failed = errors.Join(s.failed, err)
		}
		return
	}
	s.out.Results[id] = r
	s.push.add(id)
	if ran {
		s.out.Ran[id] = true
	}
	s.schedule.Done(id)
}

var errStopped = errors.New("stopped because another step failed")

// one makes one result, unless another build is making it right now; then it
// waits for that. It reports whether the step ran here.
func (e *Engine) one(ctx context.Context, g *plan.Graph, id string) (r layer.Result, ran bool, err error) {
	step, key := g.Step(id), g.Key(id)
	emit := func(ev event.Event) {
		ev.Time, ev.Step, ev.Stage, ev.Title, ev.Key = time.Now(), id, step.Stage, step.Title, key
		e.Sink.Emit(ev)
	}
	unlock, err := e.Store.Lock(ctx, key, func() {
		emit(event.Event{Kind: event.Waiting, Line: "another build is making " + id})
	})
	if err != nil {
		return r, false, err
	}
	defer unlock()
	r, ok, err := e.Store.Get(key)
	if err != nil {
		return r, false, err
	}
	if ok {
		emit(event.Event{Kind: event.StepCached})
		e.warn(g, id, r.Warnings)
		return r, false, nil
	}
	start := time.Now()
	emit(event.Event{Kind: event.StepStarted})
	r, before, err := e.obtain(ctx, g, id)
	if err != nil {
		var failed *StepError
		log := ""
		if errors.As(err, &failed) {
			log = failed.Log
			e.warn(g, id, failed.Warnings)
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return r, true, context.Cause(ctx)
		}
		emit(event.Event{Kind: event.StepFailed, Duration: time.Since(start), Error: err.Error(), Log: log})
		return r, true, err
	}
	emit(event.Event{Kind: event.StepFinished, Duration: time.Since(start), AsBefore: before})
	e.warn(g, id, r.Warnings)
	return r, !before, nil
}
