package diag

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// Found is a fault of the configuration that only a step can find: what a line names is
// not in the tree, or cannot be done there. It is written as JSON to leave the step's
// process; the error that led to it stays in the child.
type Found struct {
	At      hcl.Range `json:"at"`
	Summary string    `json:"summary"`
	// Detail is what is wrong, in whole sentences.
	Detail string `json:"detail"`
	// More are those that were found in the same run; they have none themselves.
	More []*Found `json:"more,omitempty"`

	cause error
}

// Foundf makes a *[Found]. The format may have %w.
func Foundf(at hcl.Range, summary, format string, args ...any) *Found {
	cause := fmt.Errorf(format, args...)
	return &Found{At: at, Summary: summary, Detail: cause.Error(), cause: cause}
}

// Error implements error. It begins with the place.
func (f *Found) Error() string {
	text := fmt.Sprintf("%s:%d: %s", f.At.Filename, f.At.Start.Line, f.Detail)
	for _, other := range f.More {
		text += "\n" + other.Error()
	}
	return text
}

// Unwrap returns the error that led to it, if any.
func (f *Found) Unwrap() error { return f.cause }

// All are the fault and those that were found in the same run.
func (f *Found) All() []*Found { return append([]*Found{f}, f.More...) }

// Faults are the faults as they are shown, with the texts of files.
func (f *Found) Faults(files map[string]*hcl.File) *Faults {
	out := &Faults{Files: files}
	for _, one := range f.All() {
		out.List = append(out.List, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: one.Summary, Detail: one.Detail, Subject: one.At.Ptr()})
	}
	return out
}

// Findings collects faults, so that a step reports all that it can find. The zero value is
// empty.
type Findings struct{ all []*Found }

// Add takes in err if it is a fault of the configuration. Any other error is returned:
// the step has to end.
func (fs *Findings) Add(err error) error {
	var found *Found
	if !errors.As(err, &found) {
		return err
	}
	fs.all = append(fs.all, found)
	return nil
}

// Err is nil if nothing was found, else the first fault with the others.
func (fs *Findings) Err() error {
	if len(fs.all) == 0 {
		return nil
	}
	first := *fs.all[0]
	first.More = fs.all[1:]
	return &first
}
