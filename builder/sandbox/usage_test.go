package sandbox

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

type heard []event.Event

func (h *heard) Emit(e event.Event) { *h = append(*h, e) }
func (h *heard) Close() error       { return nil }

// busy uses processors for longer than the kernel's clock can miss, in a program that it starts.
const busy = `sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; head -c 3000000 /dev/zero >/dev/null; exit 3`

// TestCommandsAreCounted: what a program used, with all that it started, is emitted with its
// exit status.
func TestCommandsAreCounted(t *testing.T) {
	var outside heard
	if err := (Command{Argv: []string{"sh", "-c", busy}}).Run(event.Within(context.Background(), &outside)); err == nil {
		t.Error("the program did not fail")
	}
	counts(t, outside)
	if err := (Command{Argv: []string{"no-such-program"}}).Run(event.Within(context.Background(), &outside)); err == nil || len(outside) != 2 || outside[1].Error != err.Error() {
		t.Errorf("a program that is missing emits %+v, error %v", outside, err)
	}
}

func counts(t *testing.T, events heard) event.Usage {
	t.Helper()
	if len(events) != 1 {
		t.Fatalf("%d events: %+v", len(events), events)
	}
	e := events[0]
	if e.Kind != event.Command || len(e.Argv) != 3 || e.Status != 3 || e.Error != "" || e.Duration <= 0 || time.Since(e.Time) > time.Minute {
		t.Errorf("the event is %+v", e)
	}
	if e.Usage == nil || e.Usage.User <= 0 || e.Usage.User > e.Duration*4 {
		t.Fatalf("it used %+v in %v", e.Usage, e.Duration)
	}
	return *e.Usage
}

// TestRootConfinedCommandsAreCounted: in a sandbox also bytes and memory are known.
func TestRootConfinedCommandsAreCounted(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root")
	}
	var inside heard
	view := &View{Shown: Programs}
	if err := (Command{Argv: []string{"sh", "-c", busy}, View: view}).Run(event.Within(context.Background(), &inside)); err == nil {
		t.Error("the program did not fail")
	}
	if u := counts(t, inside); u.Read < 3e6 || u.Read > 30e6 || u.Written < 3e6 || u.Peak < 1e6 || u.Peak > 200e6 {
		t.Errorf("used %+v", u)
	}
	if own := Used(); own.User <= 0 || own.Read < 3e6 || own.Peak < 1e6 {
		t.Errorf("this process used %+v", own)
	}
}
