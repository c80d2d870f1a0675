package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"sync"
	"time"
)

// Trace is a Sink that keeps how long everything takes, for [Trace.Write].
type Trace struct {
	mu    sync.Mutex
	begin time.Time
	spans []*span
	open  map[taskID]*span // steps and phases that run
	slots []string         // the step that each worker runs, "" for none
}

// span is something that took time. The slot 0 is the builder, the others are workers.
type span struct {
	slot           int
	start, end     time.Time
	instant        bool
	name, category string
	arguments      map[string]any
}

// NewTrace returns a trace that begins now. Passwords in URLs are masked; see [Mask].
func NewTrace() *Trace {
	return &Trace{begin: time.Now().Round(0), open: map[taskID]*span{}}
}

// Sink returns what events for the trace are emitted to.
func (t *Trace) Sink() Sink { return masking{t} }

// Close implements [Sink].
func (t *Trace) Close() error { return nil }

// Emit implements [Sink].
func (t *Trace) Emit(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	// Times of other processes have no monotonic clock, and are compared with these.
	e.Time = e.Time.Round(0)
	switch e.Kind {
	case StepStarted, PhaseStarted:
		t.started(e)
	case StepFinished, StepFailed, PhaseFinished:
		t.finished(e)
	case StepUsed:
		if s := t.open[idOf(e)]; s != nil {
			s.use(e.Usage)
		}
	case StepCached:
		t.spans = append(t.spans, &span{start: e.Time, end: e.Time, instant: true, name: e.Step, category: "step", arguments: aboutStep(e, true)})
	case Part, Command, BuildFinished, BuildFailed:
		t.spans = append(t.spans, t.past(e))
	}
}

func aboutStep(e Event, cached bool) map[string]any {
	about := map[string]any{"title": e.Title, "stage": e.Stage, "key": e.Key, "cached": cached}
	if e.Feature != "" {
		about["feature"] = e.Feature
	}
	return about
}

func (t *Trace) started(e Event) {
	s := &span{start: e.Time, name: e.Title, category: "part", arguments: map[string]any{}}
	if e.Kind == StepStarted {
		s.name, s.category, s.arguments, s.slot = e.Step, "step", aboutStep(e, false), t.take(e.Step)
	}
	t.open[idOf(e)] = s
	t.spans = append(t.spans, s)
}

// take returns the first idle worker, which now runs a step.
func (t *Trace) take(step string) int {
	i := slices.Index(t.slots, "")
	if i < 0 {
		i = len(t.slots)
		t.slots = append(t.slots, "")
	}
	t.slots[i] = step
	return i + 1
}

func (t *Trace) finished(e Event) {
	s := t.open[idOf(e)]
	if s == nil {
		return
	}
	delete(t.open, idOf(e))
	s.end = e.Time
	if e.Error != "" {
		s.arguments["error"] = e.Error
	}
	if s.slot > 0 {
		t.slots[s.slot-1] = ""
	}
}

// past is the span of what an event reports at its end.
func (t *Trace) past(e Event) *span {
	s := &span{start: e.Time.Add(-e.Duration), end: e.Time, name: e.Title, category: "part", arguments: map[string]any{}}
	s.slot = slices.Index(t.slots, e.Step) + 1
	if e.Step == "" {
		s.slot = 0
	}
	if e.Error != "" {
		s.arguments["error"] = e.Error
	}
	switch e.Kind {
	case BuildFinished, BuildFailed:
		s.name, s.category = "build "+e.Flavour, "build"
	case Command:
		s.name, s.category = "", "command"
		if len(e.Argv) > 0 {
			s.name = path.Base(e.Argv[0])
		}
		s.arguments["argv"], s.arguments["status"] = shortened(e.Argv), e.Status
	}
	s.use(e.Usage)
	return s
}

// longestWord is how much of a word of a command is kept: scripts can be words.
const longestWord = 200

func shortened(argv []string) []string {
	words := slices.Clone(argv)
	for i, w := range words {
		if r := []rune(w); len(r) > longestWord {
			words[i] = string(r[:longestWord]) + "..."
		}
	}
	return words
}

// use adds what was used to a span.
func (s *span) use(u *Usage) {
	if u == nil {
		return
	}
	s.arguments["user_ms"], s.arguments["system_ms"] = milliseconds(u.User), milliseconds(u.System)
	for name, n := range map[string]int64{
		"read_bytes": u.Read, "written_bytes": u.Written, "disk_read_bytes": u.DiskRead, "disk_written_bytes": u.DiskWritten, "peak_memory_bytes": u.Peak,
	} {
		if n > 0 {
			s.arguments[name] = n
		}
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// traceEvent is one in the Trace Event Format, with times in microseconds.
type traceEvent struct {
	Name      string         `json:"name"`
	Category  string         `json:"cat,omitempty"`
	Phase     string         `json:"ph"`
	Time      float64        `json:"ts"`
	Duration  *float64       `json:"dur,omitempty"`
	Process   int            `json:"pid"`
	Thread    int            `json:"tid"`
	Scope     string         `json:"s,omitempty"`
	Arguments map[string]any `json:"args,omitempty"`
}

// Write writes all that has happened in the Trace Event Format, which
// https://ui.perfetto.dev and chrome://tracing show, with what else is to be known of the build.
func (t *Trace) Write(w io.Writer, about map[string]any) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := struct {
		Events []traceEvent   `json:"traceEvents"`
		Unit   string         `json:"displayTimeUnit"`
		About  map[string]any `json:"otherData"`
	}{[]traceEvent{}, "ms", about}
	rows := map[int]bool{}
	row := func(thread, order int, name string) {
		if !rows[thread] {
			rows[thread] = true
			out.Events = append(out.Events, named("thread_name", thread, "name", name), named("thread_sort_index", thread, "sort_index", order))
		}
	}
	out.Events = append(out.Events, named("process_name", 0, "name", "treewright"))
	lanes := map[int][]lane{}
	for _, s := range t.closed() {
		var at int
		lanes[s.slot], at = place(lanes[s.slot], s)
		thread := s.slot*maxLanes + min(at, maxLanes-1)
		name := "builder"
		if s.slot > 0 {
			name = fmt.Sprintf("worker %d", s.slot)
		}
		if at > 0 {
			name += " (at the same time)"
		}
		row(thread, thread, name)
		out.Events = append(out.Events, t.event(s, thread))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

func named(what string, thread int, key string, value any) traceEvent {
	return traceEvent{Name: what, Phase: "M", Process: 1, Thread: thread, Arguments: map[string]any{key: value}}
}

func (t *Trace) event(s *span, thread int) traceEvent {
	microseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	e := traceEvent{Name: s.name, Category: s.category, Phase: "X", Time: microseconds(s.start.Sub(t.begin)), Process: 1, Thread: thread, Arguments: s.arguments}
	if s.instant {
		e.Phase, e.Scope = "i", "t"
		return e
	}
	took := microseconds(s.end.Sub(s.start))
	e.Duration = &took
	return e
}

// closed returns the spans by their start, outer ones first. What runs still, because the build
// was stopped, ends now.
func (t *Trace) closed() []*span {
	now := time.Now().Round(0)
	for _, s := range t.spans {
		if s.end.IsZero() {
			s.end, s.arguments["stopped"] = now, true
		}
	}
	spans := slices.Clone(t.spans)
	slices.SortStableFunc(spans, func(a, b *span) int {
		return cmp.Or(a.start.Compare(b.start), b.end.Compare(a.end))
	})
	return spans
}

// maxLanes is how many rows one worker may have.
const maxLanes = 100

// lane is a row: the spans in it that have not ended, the innermost last.
type lane []*span

// place puts a span into the first lane in which it is inside of all that runs there: on one row,
// viewers take what overlaps for nested. A command contains no other row: another one that runs
// at the same time was not started by it.
func place(lanes []lane, s *span) ([]lane, int) {
	for i := range lanes {
		for n := len(lanes[i]); n > 0 && !lanes[i][n-1].end.After(s.start); n-- {
			lanes[i] = lanes[i][:n-1]
		}
		if n := len(lanes[i]); n == 0 || lanes[i][n-1].category != "command" && !s.end.After(lanes[i][n-1].end) {
			lanes[i] = append(lanes[i], s)
			return lanes, i
		}
	}
	return append(lanes, lane{s}), len(lanes)
}
