package event

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC)

func at(seconds float64, e Event) Event {
	e.Time = epoch.Add(time.Duration(seconds * float64(time.Second)))
	return e
}

// story is a build in which most things happen.
func story() []Event {
	events := []Event{
		at(0, Event{Kind: PhaseStarted, Title: "resolving packages"}),
		at(0.1, Event{Kind: Waiting, Line: "another build of x"}),
		at(0.2, Event{Kind: Waiting, Line: "another build of x"}),
		at(2, Event{Kind: PhaseFinished, Title: "resolving packages", Duration: 2 * time.Second}),
		at(2, Event{Kind: BuildStarted, Flavour: "x", Total: 3, Cached: 1}),
		at(2, Event{Kind: StepCached, Step: "tools/all", Title: "tools", Key: "00"}),
		at(2, Event{Kind: StepWarning, Step: "tools/all", Title: "tools", Key: "00", Line: "\x1b[2J/etc/x matches nothing"}),
		at(2, Event{Kind: StepStarted, Step: "packages/fetch", Title: "fetching 165 packages"}),
		at(3, Event{Kind: StepProgress, Step: "packages/fetch", Done: 10_000_000, Total: 100_000_000}),
		at(7, Event{Kind: StepProgress, Step: "packages/fetch", Done: 50_000_000, Total: 100_000_000}),
		at(8, Event{Kind: StepProgress, Step: "packages/fetch", Done: 90_000_000, Total: 100_000_000}),
		at(9, Event{Kind: StepFinished, Step: "packages/fetch", Duration: 7 * time.Second}),
		at(9, Event{Kind: StepOutput, Step: "packages/fetch", Line: "too late"}),
		at(9, Event{Kind: StepStarted, Step: "rootfs/install", Title: "installing"}),
		at(9, Event{Kind: StepStarted, Step: "rootfs/other", Title: "something \x1b[2Jelse"}),
	}
	for i := range 50 {
		events = append(events, at(10, Event{Kind: StepOutput, Step: "rootfs/install", Line: fmt.Sprintf("\x1b[32mline\x1b[0m %d", i)}))
	}
	return append(events,
		at(11, Event{Kind: Note, Line: "a note"}),
		at(11, Event{Kind: Warning, Line: "one\ntwo"}),
		at(12, Event{Kind: StepFailed, Step: "rootfs/install", Duration: 3 * time.Second, Error: "exit status 1", Log: ".build/x/log"}),
		at(13, Event{Kind: Made, Line: ".build/x/disk.raw", Total: 1_500_000, Title: "disk image"}),
		at(13, Event{Kind: BuildFailed, Flavour: "x", Duration: 11 * time.Second, Error: "exit status 1"}),
	)
}

func TestPlain(t *testing.T) {
	var out bytes.Buffer
	p := NewPlain(&out, Options{})
	for _, e := range story() {
		p.Emit(e)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	var tail strings.Builder
	for i := 10; i < 50; i++ {
		fmt.Fprintf(&tail, "#3 | line %d\n", i)
	}
	want := `#1 resolving packages
waiting for another build of x
#1 done in 2.0s
building x: 3 steps to run, 1 cached
warning: tools/all: /etc/x matches nothing
#2 packages/fetch  fetching 165 packages
#2 50.0 MB of 100.0 MB, 10.0 MB/s
#2 done in 7.0s
#3 rootfs/install  installing
#4 rootfs/other  something else
note: a note
warning: one
warning: two
#3 rootfs/install failed after 3.0s
#3 the end of its output:
` + tail.String() + `made .build/x/disk.raw  1.5 MB  disk image
x: failed after 11.0s
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestPlainVerbose(t *testing.T) {
	var out bytes.Buffer
	p := NewPlain(&out, Options{Verbose: true})
	p.Emit(at(0, Event{Kind: StepStarted, Step: "a/b", Title: "c"}))
	p.Emit(at(1.5, Event{Kind: StepOutput, Step: "a/b", Line: "hello\r"}))
	p.Emit(at(1.6, Event{Kind: StepOutput, Step: "a/b", Line: "\x1b[0m"}))
	p.Emit(at(2, Event{Kind: StepFailed, Step: "a/b", Duration: 2 * time.Second, Error: "no"}))
	p.Emit(at(3, Event{Kind: StepFailed, Step: "never/started", Error: "no input"}))
	want := "#1 a/b  c\n#1 1.5s hello\n#1 a/b failed after 2.0s\n#2 never/started failed after 0.0s\n"
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestPlainSaysNoErrors(t *testing.T) {
	var out bytes.Buffer
	p := NewPlain(&out, Options{})
	p.Emit(at(0, Event{Kind: PhaseStarted, Title: "resolve packages"}))
	p.Emit(at(0, Event{Kind: BuildFailed, Flavour: "early", Error: "no such package"}))
	p.Emit(at(0, Event{Kind: PhaseFinished, Title: "resolve packages"}))
	p.Emit(at(0, Event{Kind: BuildStarted, Flavour: "none"}))
	p.Emit(at(0, Event{Kind: BuildFinished, Flavour: "none"}))
	p.Emit(at(0, Event{Kind: BuildStarted, Flavour: "x", Total: 1}))
	p.Emit(at(1, Event{Kind: BuildFailed, Flavour: "x", Duration: time.Second, Error: "disk full"}))
	if want := "building x: 1 step to run, 0 cached\nx: failed after 1.0s\n"; out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("pipe closed") }

func TestWriteErrors(t *testing.T) {
	for name, s := range map[string]Sink{
		"plain":    NewPlain(failing{}, Options{}),
		"json":     NewJSON(failing{}),
		"terminal": NewTerminal(failing{}, func() (int, int) { return 80, 24 }, Options{}),
	} {
		s.Emit(Event{Kind: Note, Line: "x"})
		if err := s.Close(); err == nil || err.Error() != "pipe closed" {
			t.Errorf("%s: Close gave %v", name, err)
		}
	}
}

func TestCounts(t *testing.T) {
	var k tracker
	k.see(Event{Kind: BuildStarted, Flavour: "a", Total: 2, Cached: 1})
	k.see(Event{Kind: BuildStarted, Flavour: "b", Total: 3})
	k.see(Event{Kind: StepCached, Step: "planned"})
	k.see(Event{Kind: StepStarted, Step: "s"})
	k.see(Event{Kind: StepFinished, Step: "s"})
	if got := k.summary(time.Time{}); got != "1/5 done, 0.0s, 1 cached" {
		t.Error(got)
	}
	k.see(Event{Kind: StepCached, Step: "made meanwhile"})
	if got := k.summary(time.Time{}); got != "2/5 done, 0.0s, 2 cached" {
		t.Error(got)
	}
	k.see(Event{Kind: StepStarted, Step: "cancelled"})
	k.see(Event{Kind: BuildFailed, Flavour: "a"})
	if len(k.running) != 1 {
		t.Error("a build that still runs lost its steps")
	}
	k.see(Event{Kind: BuildFailed, Flavour: "b"})
	if len(k.running) != 0 {
		t.Error("a step outlived its build")
	}
	k.see(Event{Kind: BuildStarted, Flavour: "c", Total: 7})
	if got := k.summary(time.Time{}); got != "0/7 done, 0.0s, 0 cached" {
		t.Error(got)
	}
}
