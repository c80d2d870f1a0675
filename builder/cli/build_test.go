package cli

import (
	"bytes"
	"context"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
)

func TestTheLastScreenListsWarnings(t *testing.T) {
	m := &publish.Manifest{Steps: []publish.ManifestStep{{ID: "a"}, {ID: "b", Cached: true, Warnings: []string{"one"}}}}
	if got, want := warnedOf(m), "\n1 warning:\n  b: one\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Steps = append(m.Steps, publish.ManifestStep{ID: "c", Warnings: []string{"two", "th\x1b[2Jree"}})
	if got, want := warnedOf(m), "\n3 warnings:\n  b: one\n  c: two\n  c: three\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := warnedOf(&publish.Manifest{}); got != "" {
		t.Errorf("a build without warnings says %q", got)
	}
}

// TestWhatIsSaidElsewhere: what the last screen or the last line says is not said
// before it.
func TestWhatIsSaidElsewhere(t *testing.T) {
	for what, want := range map[string]string{"failed": "building x: 1 step to run, 0 cached\nx: failed after 0.0s\n", "stopped": "building x: 1 step to run, 0 cached\n"} {
		ctx, stop := context.WithCancel(t.Context())
		if what == "stopped" {
			stop()
		}
		var out bytes.Buffer
		sink := withoutResults{event.NewPlain(&out, event.Options{}), ctx}
		sink.Emit(event.Event{Kind: event.BuildStarted, Flavour: "x", Total: 1})
		sink.Emit(event.Event{Kind: event.Made, Line: "disk.raw"})
		sink.Emit(event.Event{Kind: event.BuildFailed, Flavour: "x", Error: "why"})
		if out.String() != want {
			t.Errorf("%s: got %q, want %q", what, out.String(), want)
		}
		stop()
	}
}
