package event

import (
	"fmt"
	"slices"
	"time"
)

const (
	// tailLines is how much of a step's output is kept for the case that it
	// fails.
	tailLines = 40
	// rateWindow is how far back the rate of a download looks.
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
	samples []sample // downloads within the last rateWindow, oldest first
	total   int64    // bytes to download, 0 when unknown
	shown   time.Time
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

func (t *task) progress(at time.Time, done, total int64) {
	t.total = total
	t.samples = append(t.samples, sample{at, done})
	// The newest sample outside the window stays: the rate is counted from it.
	for len(t.samples) > 2 && at.Sub(t.samples[1].at) >= rateWindow {
		t.samples = t.samples[1:]
	}
}

// downloaded says how far a download is, "" if there is none; one that stalls
// has no rate.
func (t *task) downloaded(now time.Time) string {
	if len(t.samples) == 0 {
		return ""
	}
	newest := t.samples[len(t.samples)-1]
	done := newest.done
	s := FormatBytes(done)
	if t.total > 0 {
		s += " of " + FormatBytes(t.total)
	}
	// A first sample stands for everything since the start of the step.
	from := sample{at: t.started}
	if len(t.samples) > 1 {
		from = t.samples[0]
	}
	if d := now.Sub(from.at); d > 0 && done > from.done && now.Sub(newest.at) < rateWindow {
		s += fmt.Sprintf(", %s/s", FormatBytes(int64(float64(done-from.done)/d.Seconds())))
	}
	return s
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
		k.flavours = append(k.flavours, e.Flavour)
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
		t := k.newTask(e)
		k.running = append(k.running, t)
		return t
	case StepCached:
		k.cachedNow++
		return k.newTask(e)
	case StepOutput, StepProgress, StepFinished, StepFailed, PhaseFinished:
		id := idOf(e)
		i := slices.IndexFunc(k.running, func(t *task) bool { return t.id == id })
		if i < 0 && e.Kind == StepFailed {
			return k.newTask(e) // it failed before it could start
		}
		if i < 0 {
			return nil
		}
		t := k.running[i]
		switch e.Kind {
		case StepOutput:
			t.add(e.Line)
		case StepProgress:
			t.progress(e.Time, e.Done, e.Total)
		default:
			k.running = slices.Delete(k.running, i, i+1)
			if e.Kind == StepFinished {
				k.finished++
			}
		}
		return t
	}
	return nil
}

func (k *tracker) newTask(e Event) *task {
	k.number++
	return &task{number: k.number, id: idOf(e), title: e.Title, started: e.Time, shown: e.Time}
}

// counts says how many steps are done, of how many, and how many were reused.
// A step that was to be run and was found in the cache after all (another
// build made it) counts as both.
func (k *tracker) counts() string {
	done := k.finished + max(0, k.cachedNow-k.cachedPlan)
	return fmt.Sprintf("%d/%d done, %d cached", done, max(k.total, done), max(k.cachedPlan, k.cachedNow))
}
