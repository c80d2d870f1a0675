package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	j := NewJSON(&out)
	events := story()
	for _, e := range events {
		j.Emit(e)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(events) {
		t.Fatalf("%d lines for %d events", len(lines), len(events))
	}
	for i, line := range lines {
		var got Event
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if !reflect.DeepEqual(got, events[i]) {
			t.Errorf("%q is %+v, want %+v", line, got, events[i])
		}
	}
	want := `{"time":"2026-10-30T12:00:09Z","kind":"step-finished","step":"packages/fetch","duration_ns":7000000000}`
	if lines[11] != want {
		t.Errorf("got %s, want %s", lines[11], want)
	}
	want = `{"time":"2026-10-30T12:00:02Z","kind":"step-warning","step":"tools/all","title":"tools","key":"00","line":"\u001b[2J/etc/x matches nothing"}`
	if lines[6] != want {
		t.Errorf("got %s, want %s", lines[6], want)
	}
}

// all is several sinks as one.
type all []Sink

func (a all) Emit(e Event) {
	for _, s := range a {
		s.Emit(e)
	}
}

func (a all) Close() error {
	var errs []error
	for _, s := range a {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// TestManyAtOnce is for the race detector; it also sees that lines stay whole
// and none is lost.
func TestManyAtOnce(t *testing.T) {
	var plainOut, jsonOut, termOut bytes.Buffer
	s := all{NewPlain(&plainOut, Options{Verbose: true}), NewJSON(&jsonOut),
		NewTerminal(&termOut, func() (int, int) { return 60, 12 }, Options{Verbose: true})}
	const workers, lines = 16, 50
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			step := fmt.Sprintf("step/%d", w)
			s.Emit(Event{Kind: StepStarted, Step: step})
			for i := range lines {
				s.Emit(Event{Kind: StepOutput, Step: step, Line: fmt.Sprintf("line %d of %d.", i, w)})
				s.Emit(Event{Kind: StepProgress, Step: step, Done: int64(i)})
			}
			s.Emit(Event{Kind: StepFinished, Step: step})
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for w := range workers {
		for i := range lines {
			want := fmt.Sprintf("line %d of %d.", i, w)
			for name, out := range map[string]string{"plain": plainOut.String(), "json": jsonOut.String(), "terminal": termOut.String()} {
				if n := strings.Count(out, want); n != 1 && name != "terminal" || n == 0 {
					t.Fatalf("%s: %q is there %d times", name, want, n)
				}
			}
		}
	}
	if n := strings.Count(jsonOut.String(), "\n"); n != workers*(2*lines+2) {
		t.Errorf("%d JSON lines", n)
	}
}

func TestChoose(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for mode, want := range map[string]string{"": "*event.plain", "auto": "*event.plain", "plain": "*event.plain", "json": "*event.jsonSink"} {
		s, err := Choose(mode, f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%T", s.(masking).Sink); got != want {
			t.Errorf("%q: got %s, want %s", mode, got, want)
		}
	}
	if _, err := Choose("tty", f, Options{}); err == nil || !strings.Contains(err.Error(), "needs a terminal") {
		t.Errorf("tty on a file: %v", err)
	}
	if _, err := Choose("fancy", f, Options{}); err == nil || !strings.Contains(err.Error(), "auto, tty, plain, json") {
		t.Errorf("unknown mode: %v", err)
	}
	if b, _ := io.ReadAll(f); len(b) > 0 {
		t.Errorf("Choose wrote %q", b)
	}
}
