package diag

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// Found is a fault of the configuration that only a step can find: what a line names is
// not in the tree, or cannot be done there. It is written as JSON to leave the step's
// process; the error that led to it stays behind.
type Found struct {
	At      hcl.Range `json:"at"`
	Summary string    `json:"summary"`
	// Detail is what is wrong, in whole sentences.
	Detail string `json:"detail"`

	cause error
}

// Foundf makes a *[Found]. The format may have %w.
func Foundf(at hcl.Range, summary, format string, args ...any) *Found {
	cause := fmt.Errorf(format, args...)
	return &Found{at, summary, cause.Error(), cause}
}

// Error implements error. It begins with the place.
func (f *Found) Error() string {
	return fmt.Sprintf("%s:%d: %s", f.At.Filename, f.At.Start.Line, f.Detail)
}

// Unwrap returns the error that led to it, if any.
func (f *Found) Unwrap() error { return f.cause }

// Faults are the fault as it is shown, with the texts of files.
func (f *Found) Faults(files map[string]*hcl.File) *Faults {
	return &Faults{Files: files, List: hcl.Diagnostics{{Severity: hcl.DiagError, Summary: f.Summary, Detail: f.Detail, Subject: f.At.Ptr()}}}
}
