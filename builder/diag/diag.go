package diag

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// Faults are faults of the configuration, each with its place.
type Faults struct {
	// Files are those whose lines are shown, by their names in the faults; it
	// may be nil.
	Files map[string]*hcl.File
	List  hcl.Diagnostics
	// Outside reports that the configuration may well be right, and what it names is at
	// fault.
	Outside bool
}

// OfRequest is the Extra of a diagnostic whose fault is the request's: it gives a value
// to what is not there, or a value that it cannot have.
type OfRequest struct{}

// Requested reports that only the request is at fault.
func (f *Faults) Requested() bool {
	found := false
	for _, d := range f.List {
		if _, of := d.Extra.(OfRequest); d.Severity == hcl.DiagError && !of {
			return false
		} else if of {
			found = true
		}
	}
	return found
}

// Error implements error. A list of none says that all has been shown.
func (f *Faults) Error() string { return f.List.Error() }

// Request is the fault of a request that makes no sense: it names what is not
// there, or asks for what cannot be had together.
type Request struct{ msg string }

// Error implements error.
func (r *Request) Error() string { return r.msg }

// Requestf makes a *[Request].
func Requestf(format string, args ...any) error { return &Request{fmt.Sprintf(format, args...)} }

// Host describes what this machine lacks.
type Host struct{ msg string }

// Error implements error.
func (h *Host) Error() string { return h.msg }

// Hostf makes a *[Host].
func Hostf(format string, args ...any) error { return &Host{fmt.Sprintf(format, args...)} }

// Ended is that a program which the user ran by us has ended with another exit status
// than 0. It is for the user to know why, and nothing is to be said.
type Ended struct {
	// Status is as a shell tells it: 128 and the signal's number for one that a
	// signal ended.
	Status int
}

// Error implements error.
func (e *Ended) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

// OnlyEnded returns the exit status if an error is an *[Ended] and nothing else.
func OnlyEnded(err error) (status int, only bool) {
	switch e := err.(type) {
	case *Ended:
		return e.Status, true
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if status, only = OnlyEnded(err); !only {
				return 0, false
			}
		}
	}
	return status, only
}

// Suggested is an error with a command that helps. Its text has none of it: only who
// has a command line knows what that is called.
type Suggested struct {
	Err error
	// Verb is a verb of the command line with its arguments, and Does what it does, as
	// the end of a sentence.
	Verb, Does string
}

// Error implements error.
func (s *Suggested) Error() string { return s.Err.Error() }

// Unwrap returns the error itself.
func (s *Suggested) Unwrap() error { return s.Err }

// Suggest adds to an error what helps.
func Suggest(err error, verb, does string) error { return &Suggested{err, verb, does} }

// Counted is "1 commit", "2 commits".
func Counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
