package event

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// NewJSON returns a Sink for programs: each event is one JSON object on a line
// of its own, with the fields that [Event] names. Durations are in
// nanoseconds, times as RFC 3339 has them. Close returns the first error that
// writing met; it does not close w.
func NewJSON(w io.Writer) Sink {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &jsonSink{enc: enc}
}

type jsonSink struct {
	mu  sync.Mutex
	enc *json.Encoder
	err error
}

func (j *jsonSink) Emit(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	if j.err == nil {
		j.err = j.enc.Encode(e)
	}
}

func (j *jsonSink) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}
