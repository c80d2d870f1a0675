package reapi

import (
	"errors"

	"google.golang.org/grpc/codes"
)

// passing is an error after which another try can succeed.
type passing struct {
	error
	// ran is true if an execution was lost. That can be the fault of the Action, for instance if it uses up a worker's memory.
	ran bool
}

func (p *passing) Unwrap() error { return p.error }

// mark returns an error of the connection, or one that the server has for the moment, as a passing one, and others as they are.
func mark(err error) error {
	var (
		late *tooLate
		r    *refusal
	)
	if errors.As(err, &late) || errors.As(err, &r) && passes(r.code) {
		return &passing{error: err}
	}
	return err
}

// passes reports whether a call that failed with a code can succeed the next time. These include Canceled and DeadlineExceeded, with which
// servers and proxies end calls. Calls that this client ends are recognized by their contexts.
func passes(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.Aborted, codes.Internal, codes.Unknown, codes.ResourceExhausted, codes.Canceled, codes.DeadlineExceeded:
		return true
	}
	return false
}
