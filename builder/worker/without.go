package worker

import "strings"

// without is an error that does not have the path of a draft in its message. The path is different each time, and the machine that builds
// warns of each different message.
type without struct {
	error
	dir string
}

// Error implements error.
func (w *without) Error() string { return strings.ReplaceAll(w.error.Error(), w.dir, "the draft") }

// Unwrap returns the original error.
func (w *without) Unwrap() error { return w.error }
