package build

import (
	"fmt"
	"time"

	"github.com/treewright/treewright/builder/event"
)

// heard returns the sink, or one that discards all events for nil.
func heard(sink event.Sink) event.Sink {
	if sink == nil {
		return event.Discard
	}
	return sink
}

// reporter tells a sink what happens, and when.
type reporter struct{ event.Sink }

func (r reporter) emit(e event.Event) {
	e.Time = time.Now()
	r.Emit(e)
}

func (r reporter) say(kind event.Kind, line string) { r.emit(event.Event{Kind: kind, Line: line}) }

func (r reporter) note(format string, args ...any) { r.say(event.Note, fmt.Sprintf(format, args...)) }

func (r reporter) warn(line string) { r.say(event.Warning, line) }

// phase runs work that comes before any step and tells how long it takes.
func (r reporter) phase(title string, do func() error) error {
	start := time.Now()
	r.emit(event.Event{Kind: event.PhaseStarted, Title: title})
	if err := do(); err != nil {
		return err
	}
	r.emit(event.Event{Kind: event.PhaseFinished, Title: title, Duration: time.Since(start)})
	return nil
}
