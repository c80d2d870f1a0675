package event

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// traced is what a trace holds after some events, by the names of its spans.
func traced(t *testing.T, events ...Event) (all []traceEvent, rows map[int]string) {
	t.Helper()
	trace := NewTrace()
	for _, e := range events {
		trace.Sink().Emit(e)
	}
	var out bytes.Buffer
	if err := trace.Write(&out, map[string]any{"processors": 2}); err != nil {
		t.Fatal(err)
	}
	var file struct {
		TraceEvents     []traceEvent
		DisplayTimeUnit string
		OtherData       struct{ Processors int }
	}
	if err := json.Unmarshal(out.Bytes(), &file); err != nil {
		t.Fatal(err)
	}
	if file.DisplayTimeUnit != "ms" || file.OtherData.Processors != 2 {
		t.Errorf("the file begins with %+v", file)
	}
	rows = map[int]string{}
	for _, e := range file.TraceEvents {
		if e.Phase == "M" {
			if e.Name == "thread_name" {
				rows[e.Thread] = e.Arguments["name"].(string)
			}
			continue
		}
		all = append(all, e)
	}
	return all, rows
}

func called(t *testing.T, all []traceEvent, name string) traceEvent {
	t.Helper()
	i := slices.IndexFunc(all, func(e traceEvent) bool { return e.Name == name })
	if i < 0 {
		t.Fatalf("the trace lacks %s: %+v", name, all)
	}
	return all[i]
}

func ms(n int) time.Time {
	return time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
}

// TestTraceRows: two steps at a time have two rows, which later ones use again. What
// overlaps and is not inside of each other is on different rows.
func TestTraceRows(t *testing.T) {
	all, rows := traced(t,
		Event{Time: ms(20), Kind: Part, Title: "load", Duration: 20 * time.Millisecond},
		Event{Time: ms(30), Kind: PhaseStarted, Title: "resolve packages"},
		Event{Time: ms(60), Kind: Part, Title: "find the history", Duration: 25 * time.Millisecond},
		Event{Time: ms(50), Kind: PhaseFinished, Title: "resolve packages", Duration: 20 * time.Millisecond},
		Event{Time: ms(100), Kind: StepCached, Step: "packages/base", Title: "fetch", Key: "00"},
		Event{Time: ms(101), Kind: StepStarted, Step: "rootfs/a", Title: "a", Feature: "base"},
		Event{Time: ms(102), Kind: StepStarted, Step: "rootfs/b", Title: "b"},
		Event{Time: ms(150), Kind: Command, Step: "rootfs/a", Argv: []string{"/usr/bin/dpkg", "-i"}, Duration: 40 * time.Millisecond, Status: 2,
			Usage: &Usage{User: 31500 * time.Microsecond, System: time.Millisecond, Read: 10, Written: 20, DiskRead: 30, DiskWritten: 40, Peak: 50}},
		Event{Time: ms(145), Kind: Command, Step: "rootfs/a", Argv: []string{"tar"}, Duration: 10 * time.Millisecond},
		Event{Time: ms(155), Kind: StepUsed, Step: "rootfs/a", Usage: &Usage{User: 35 * time.Millisecond}},
		Event{Time: ms(160), Kind: StepFailed, Step: "rootfs/a", Duration: 59 * time.Millisecond, Error: "no"},
		Event{Time: ms(170), Kind: StepStarted, Step: "rootfs/c", Title: "c"},
		Event{Time: ms(180), Kind: StepFinished, Step: "rootfs/c", Duration: 10 * time.Millisecond},
		Event{Time: ms(200), Kind: BuildFailed, Flavour: "x", Duration: 200 * time.Millisecond, Error: "no"},
	)
	rowOf := func(name string) string { return rows[called(t, all, name).Thread] }
	for name, want := range map[string]string{
		"load": "builder", "resolve packages": "builder", "find the history": "builder (at the same time)", "packages/base": "builder", "build x": "builder",
		"rootfs/a": "worker 1", "dpkg": "worker 1", "tar": "worker 1 (at the same time)", "rootfs/b": "worker 2", "rootfs/c": "worker 1",
	} {
		if got := rowOf(name); got != want {
			t.Errorf("%s is on the row %q, want %q", name, got, want)
		}
	}
	if cached := called(t, all, "packages/base"); cached.Phase != "i" || cached.Arguments["cached"] != true || cached.Duration != nil {
		t.Errorf("a step that is reused is %+v", cached)
	}
	a := called(t, all, "rootfs/a")
	if *a.Duration != 59000 || fmt.Sprint(a.Arguments) != "map[cached:false error:no feature:base key: stage: system_ms:0 title:a user_ms:35]" {
		t.Errorf("a step that failed is %+v, took %v", a, *a.Duration)
	}
	dpkg := called(t, all, "dpkg")
	want := "map[argv:[/usr/bin/dpkg -i] disk_read_bytes:30 disk_written_bytes:40 peak_memory_bytes:50 read_bytes:10 status:2 system_ms:1 user_ms:31.5 written_bytes:20]"
	if got := fmt.Sprint(dpkg.Arguments); got != want || dpkg.Time-a.Time != 9000 || *dpkg.Duration != 40000 {
		t.Errorf("a command is %+v, want %s", dpkg, want)
	}
	if b := called(t, all, "rootfs/b"); b.Arguments["stopped"] != true {
		t.Errorf("a step that had no end is %+v", b)
	}
}

// TestTraceHasNoPasswords: words of commands are masked before they are shortened.
func TestTraceHasNoPasswords(t *testing.T) {
	long := strings.Repeat("x", longestWord-20) + " http://user:" + strings.Repeat("secret", 10) + "@host/"
	argv := []string{"curl", "http://user:secret@host/", long}
	all, _ := traced(t, Event{Time: ms(10), Kind: Command, Argv: argv, Duration: time.Millisecond, Error: "fetch http://user:secret@host/"})
	if text := fmt.Sprint(all); strings.Contains(text, "secret") || !strings.Contains(text, "user:***@host") {
		t.Errorf("the trace has %s", text)
	}
	if argv[1] != "http://user:secret@host/" {
		t.Errorf("the command itself was changed: %q", argv)
	}
	all, _ = traced(t, Event{Time: ms(10), Kind: Command, Argv: []string{"sh", "-c", strings.Repeat("é", 2*longestWord)}})
	if words := called(t, all, "sh").Arguments["argv"].([]any); words[2] != strings.Repeat("é", longestWord)+"..." {
		t.Errorf("a long word became %q", words[2])
	}
}

func TestTimed(t *testing.T) {
	first, second := &kept{}, &kept{}
	ctx := Within(context.Background(), OfStep(Both(first, second), "a"))
	fault := errors.New("no")
	if err := Timed(ctx, "work", func() error { time.Sleep(time.Millisecond); return fault }); err != fault {
		t.Errorf("error %v", err)
	}
	From(ctx).Emit(Event{Kind: Command, Step: "b"})
	for _, k := range []*kept{first, second} {
		if len(k.events) != 2 || k.events[0].Step != "a" || k.events[0].Title != "work" || k.events[0].Duration < time.Millisecond || k.events[1].Step != "b" {
			t.Errorf("got %+v", k.events)
		}
	}
	if err := Timed(context.Background(), "work", func() error { return nil }); err != nil {
		t.Errorf("without a sink: %v", err)
	}
}

type kept struct{ events []Event }

func (k *kept) Emit(e Event) { k.events = append(k.events, e) }
func (k *kept) Close() error { return nil }
