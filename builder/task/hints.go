package task

import (
	"encoding/json"
	"fmt"
)

// encode writes parameters and hints. They are plain structs, which always
// encode.
func encode(p any) json.RawMessage {
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return raw
}

// EncodeHints is how hints are written into a step, see [plan.Step].
func EncodeHints(hints any) json.RawMessage { return encode(hints) }

// Hints returns what a step's hints say.
func Hints[T any](t *Task) (hints T, err error) {
	if err := json.Unmarshal(t.Step.Hints, &hints); err != nil {
		return hints, fmt.Errorf("step %s: hints: %w", t.Step.ID, err)
	}
	return hints, nil
}
