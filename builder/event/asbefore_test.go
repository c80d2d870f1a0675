package event

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestAsBefore: a step that did not run, as nothing that it looked at has changed, is shown as that.
func TestAsBefore(t *testing.T) {
	var plainOut, jsonOut bytes.Buffer
	s := newScreen(t, 120, 12)
	for _, sink := range []Sink{NewPlain(&plainOut, Options{}), NewJSON(&jsonOut), NewTerminal(s, s.size, Options{NoColor: true})} {
		for _, e := range []Event{
			at(0, Event{Kind: BuildStarted, Flavour: "x", Total: 1}),
			at(0, Event{Kind: StepStarted, Step: "commit/initramfs", Title: "make the initramfs"}),
			at(0, Event{Kind: StepFinished, Step: "commit/initramfs", Duration: 20 * time.Millisecond, AsBefore: true}),
			at(1, Event{Kind: BuildFinished, Flavour: "x", Duration: time.Second}),
		} {
			sink.Emit(e)
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if want := "#1 as before, because nothing that it looks at has changed\n"; !strings.Contains(plainOut.String(), want) {
		t.Errorf("plain:\n%s", plainOut.String())
	}
	if want := `"as_before":true`; strings.Count(jsonOut.String(), want) != 1 {
		t.Errorf("JSON:\n%s", jsonOut.String())
	}
	if want := "make the initramfs: as before, because nothing that it looks at has changed"; !strings.Contains(s.text(), want) {
		t.Errorf("terminal:\n%s", s.text())
	}
}
