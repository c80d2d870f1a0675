package event

import (
	"slices"
	"time"
)

const (
	// tailLines is how much of a step's output is kept for the case that it
	// fails.
	tailLines = 40
	// rateWindow is how far back the rate of progress looks.
	rateWindow = 5 * time.Second
)

// task is a step or phase that is running.
type task struct {
	number  int // counts from 1, in the order of starting
	id      taskID
	title   string
	started time.Time
	tail    [tailLines]string // a ring; lines counts what was put in
	lines   int
	samples []sample // progress within the last rateWindow, oldest first
	total   int64    // how much there is to do, 0 when unknown
	unit    string   // what samples and total count, "" for bytes
	shown   time.Time

	expected, left time.Duration // those of its start
}

// taskID tells tasks apart: two flavours may run steps of one name at once,
// and a phase has no step.
type taskID struct{ flavour, step, phase string }

type sample struct {
	at   time.Time
	done int64
}

func idOf(e Event) taskID {
	if e.Kind == PhaseStarted || e.Kind == PhaseFinished {
		return taskID{flavour: e.Flavour, phase: e.Title}
	}
	return taskID{flavour: e.Flavour, step: e.Step}
}

// name is how a task is called on a screen.
func (t *task) name() string {
	if t.id.step == "" {
		return CleanLine(t.title)
	}
	if t.title == "" {
		return CleanLine(t.id.step)
	}
	return CleanLine(t.id.step) + "  " + CleanLine(t.title)
}

func (t *task) add(line string) {
	t.tail[t.lines%tailLines] = line
	t.lines++
}

// last returns the newest line that shows anything.
func (t *task) last() string {
	for i := t.lines - 1; i >= 0 && i >= t.lines-tailLines; i-- {
		if l := cleanText(t.tail[i%tailLines]); len(l) > 0 {
			return l[len(l)-1]
		}
	}
	return ""
}

// end returns the last lines of the output, clean, oldest first.
func (t *task) end() []string {
	var out []string
	for i := max(0, t.lines-tailLines); i < t.lines; i++ {
		out = append(out, cleanText(t.tail[i%tailLines])...)
	}
	return out
}

func (t *task) progress(e Event) {
	at := e.Time
	if e.Unit != t.unit {
		t.samples = nil // something else begins
	}
	t.total, t.unit = e.Total, e.Unit
	t.samples = append(t.samples, sample{at, e.Done})
	// The newest sample outside the window stays: the rate is counted from it.
	for len(t.samples) > 2 && at.Sub(t.samples[1].at) >= rateWindow {
		t.samples = t.samples[1:]
	}
}

// tracker follows the events and knows what is running. It is what the sinks
// for people have in common; they hold the lock.
type tracker struct {
	number   int
	running  []*task // in the order of starting
	flavours []string
	started  time.Time // of the oldest build that is running
	waiting  string

	total, finished       int64
	cachedPlan, cachedNow int64
}

// see takes in one event and returns the task it is about: a new one, a
// running one, or one that just ended. It returns nil if there is none, which
// is also so for the late output of a step that is over.
func (k *tracker) see(e Event) *task {
	switch e.Kind {
	case Waiting:
		k.waiting = e.Line
	case StepStarted, StepCached, PhaseStarted, BuildStarted, BuildFinished, BuildFailed:
		k.waiting = ""
	}
	switch e.Kind {
	case BuildStarted:
		if len(k.flavours) == 0 {
			k.started = e.Time
			k.total, k.finished, k.cachedPlan, k.cachedNow = 0, 0, 0, 0
		}
		// A test runs several plans of a flavour before it is over.
		if !slices.Contains(k.flavours, e.Flavour) {
			k.flavours = append(k.flavours, e.Flavour)
		}
		k.total += e.Total
		k.cachedPlan += e.Cached
	case BuildFinished, BuildFailed:
		if i := slices.Index(k.flavours, e.Flavour); i >= 0 {
			k.flavours = slices.Delete(k.flavours, i, i+1)
		}
		if len(k.flavours) == 0 {
			k.running = nil // what was cancelled said nothing any more
		}
	case StepStarted, PhaseStarted:
		t := k.numbered(e)
		k.running = append(k.running, t)
		return t
	case StepCached:
		k.cachedNow++
		// That they are reused was said of all at once, but not of one that was to
		// run and that another build has made meanwhile.
		if k.cachedNow > k.cachedPlan {
			return k.numbered(e)
		}
		return newTask(e)
	case StepOutput, StepProgress, StepFinished, StepFailed, PhaseFinished:
		return k.happened(e)
	}
	return nil
}

// happened takes in what happened to a running task, and returns it.
func (k *tracker) happened(e Event) *task {
	id := idOf(e)
	i := slices.IndexFunc(k.running, func(t *task) bool { return t.id == id })
	if i < 0 && e.Kind == StepFailed {
		return k.numbered(e) // it failed before it could start
	}
	if i < 0 {
		return nil
	}
	t := k.running[i]
	switch e.Kind {
	case StepOutput:
		t.add(e.Line)
	case StepProgress:
		t.progress(e)
	default:
		k.running = slices.Delete(k.running, i, i+1)
		if e.Kind == StepFinished {
			k.finished++
		}
	}
	return t
}

func newTask(e Event) *task {
	return &task{id: idOf(e), title: e.Title, started: e.Time, shown: e.Time, expected: e.Expected, left: e.Left}
}

func (k *tracker) numbered(e Event) *task {
	t := newTask(e)
	k.number++
	t.number = k.number
	return t
}
