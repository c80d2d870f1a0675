package reapi

import (
	"errors"

	"google.golang.org/grpc/codes"
)

// passing is an error after which another try can succeed.
type passing struct {
	error
	// ran is true if an execution was lost, which can be the fault of the Action: it can use up a worker's memory.
	ran bool
}

func (p *passing) Unwrap() error { return p.error }

// mark makes an error of the connection, or one that the server has for the moment, a passing one.
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

// passes reports whether a call that ends with a code can have another end the next time. Canceled and DeadlineExceeded are
// among them, because a proxy or a server ends calls with these codes. This client ends its calls by their contexts.
func passes(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.Aborted, codes.Internal, codes.Unknown, codes.ResourceExhausted, codes.Canceled, codes.DeadlineExceeded:
		return true
	}
	return false
}
