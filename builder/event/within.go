package event

import (
	"context"
	"time"
)

type sinkKey struct{}

// Within returns a context in which the parts of the work and the commands that it runs
// are emitted to a sink.
func Within(ctx context.Context, s Sink) context.Context {
	return context.WithValue(ctx, sinkKey{}, s)
}

// From returns the sink of [Within], [Discard] without one.
func From(ctx context.Context) Sink {
	if s, ok := ctx.Value(sinkKey{}).(Sink); ok {
		return s
	}
	return Discard
}

// Timed does a part of the work, and emits how long it took to the sink of the context.
func Timed(ctx context.Context, title string, do func() error) error {
	start := time.Now()
	err := do()
	end := time.Now()
	From(ctx).Emit(Event{Time: end, Kind: Part, Title: title, Duration: end.Sub(start)})
	return err
}

// OfStep returns a sink that adds the step to events without one.
func OfStep(s Sink, step string) Sink { return ofStep{s, step} }

type ofStep struct {
	Sink
	step string
}

func (o ofStep) Emit(e Event) {
	if e.Step == "" {
		e.Step = o.step
	}
	o.Sink.Emit(e)
}

// Both returns a sink that emits to two others, and closes the first one.
func Both(first, second Sink) Sink { return both{first, second} }

type both struct {
	Sink
	second Sink
}

func (b both) Emit(e Event) {
	b.Sink.Emit(e)
	b.second.Emit(e)
}
