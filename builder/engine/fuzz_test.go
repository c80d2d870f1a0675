package engine

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/event"
)

// FuzzReadReplies: what a step's process says is read to its end; nothing may
// follow its result, and warnings are kept without passwords.
func FuzzReadReplies(f *testing.F) {
	f.Add(`{"bytes":1,"total":2}` + "\n" + `{"done":true,"result":{"warnings":["http://u:secret@h/"]}}`)
	f.Add(`{"bytes":3,"total":2}{"bytes":-1,"total":2,"unit":"\u001bfiles"}`)
	f.Add(`{"error":"x","command":"y"}{"done":true}{"total":1}`)
	f.Add(`{"total":-1,"done":true} null`)
	f.Add(`{"done":true}x`)
	f.Fuzz(func(t *testing.T, text string) {
		r := &recorder{}
		from := strings.NewReader(text)
		last, err := (&Local{Sink: r}).readReplies("s", from, nil)
		if from.Len() != 0 {
			t.Errorf("%d bytes of %q have not been read", from.Len(), text)
		}
		for _, e := range r.events {
			if e.Kind != event.StepProgress || e.Step != "s" || e.Total <= 0 || e.Done < 0 || e.Done > e.Total || event.CleanLine(e.Unit) != e.Unit {
				t.Errorf("%q: %+v", text, e)
			}
		}
		for _, w := range last.Result.Warnings {
			if event.Mask(w) != w {
				t.Errorf("%q: the warning %q", text, w)
			}
		}
		if err == nil && last.Done {
			for _, more := range []string{`{"done":true}`, `{"total":1}`, "x"} {
				if _, err := (&Local{Sink: r}).readReplies("s", strings.NewReader(text+" "+more), nil); err == nil {
					t.Errorf("%q: %q may follow", text, more)
				}
			}
		}
	})
}
