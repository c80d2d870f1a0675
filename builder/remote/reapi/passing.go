package reapi

import (
	"errors"

	"google.golang.org/grpc/codes"
)

// passing is an error after which another try can succeed.
type passing struct {
	error
	// ran is true if an execution was lost. The Action can be the cause, for instance if it uses up a worker's memory.
	ran bool
}

func (p *passing) Unwrap() error { return p.error }

// mark marks errors of the connection and temporary errors of the server as passing errors. It returns other errors unchanged.
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

// passes reports whether a call that failed with a code can succeed the next time. Canceled and DeadlineExceeded are among
// these codes, because servers and proxies end calls with them. The context of a call shows whether this client has ended the call.
func passes(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.Aborted, codes.Internal, codes.Unknown, codes.ResourceExhausted, codes.Canceled, codes.DeadlineExceeded:
		return true
	}
	return false
}
