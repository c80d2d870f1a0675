package reapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/treewright/treewright/builder/diag"
)

// refusal is an error that the server answers, or gRPC in its place.
type refusal struct {
	code    codes.Code
	message string
}

func (r *refusal) Error() string { return r.code.String() + ": " + r.message }

// has reports whether an error is a refusal with a code.
func has(err error, code codes.Code) bool {
	var r *refusal
	return errors.As(err, &r) && r.code == code
}

// mostMessage is the largest number of bytes of a server's message that are shown.
const mostMessage = 500

// located is an error that names the server and the operation.
type located struct {
	place string
	error
}

func (l *located) Error() string { return l.place + ": " + l.error.Error() }
func (l *located) Unwrap() error { return l.error }

// fault returns an error that names the operation and the server. An error that already names them is returned unchanged. The error does
// not contain the credentials, even if the server returns them.
func (c *client) fault(ctx context.Context, what string, err error) error {
	var (
		late   *tooLate
		before *located
	)
	switch s, isStatus := status.FromError(err); {
	case err == nil:
		return nil
	case ctx.Err() != nil: // the result of the call does not matter
		err = context.Cause(ctx)
	case errors.As(err, &before):
		return err
	case errors.As(err, &late):
	case isStatus:
		message := s.Message()
		if c.helper != nil {
			message = c.helper.words.Load().Mask(message)
		}
		if len(message) > mostMessage {
			message = message[:mostMessage] + "..."
		}
		err = &refusal{s.Code(), diag.Visible(message)}
	}
	return &located{c.at.String() + ": " + what, err}
}

// authorized adds the credentials to a request.
func (c *client) authorized(ctx context.Context) (context.Context, error) {
	if c.helper == nil {
		return ctx, nil
	}
	headers, err := c.helper.get(ctx)
	if err != nil {
		return nil, err
	}
	return metadata.AppendToOutgoingContext(ctx, headers...), nil
}

// call makes one call that is not a stream, within a limit. f may be called twice.
func (c *client) call(ctx context.Context, what string, f func(context.Context) error) error {
	out, err := c.authorized(ctx)
	if err != nil {
		return c.fault(ctx, what, err)
	}
	late := &tooLate{"the server did not answer within " + c.limits.call.String()}
	limited, cancel := context.WithTimeoutCause(out, c.limits.call, late)
	defer cancel()
	err = again(limited, func() error { return f(limited) })
	// The server has the same limit, and may be the first to notice.
	if code := status.Code(err); code == codes.DeadlineExceeded || err != nil && context.Cause(limited) == error(late) {
		err = late
	}
	return c.fault(ctx, what, err)
}

// again calls f once more if the server could not be reached. It may have been restarted since the last call, which is noticed
// only when the old connection is used. f returns the error of gRPC, or a refusal.
func again(ctx context.Context, f func() error) error {
	err := f()
	if (has(err, codes.Unavailable) || status.Code(err) == codes.Unavailable) && ctx.Err() == nil {
		err = f()
	}
	return err
}

// tooLate is the error if the server was too slow.
type tooLate struct{ message string }

func (t *tooLate) Error() string { return t.message }

// flow ends a stream that does not move. Unlike with a [github.com/treewright/treewright/builder/download.Watch], only the time that is spent on the stream
// counts. The disk may be slow while received data are unpacked, or data to be sent are read.
type flow struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	stall  time.Duration
	enough int
	late   *tooLate

	left  time.Duration // until enough bytes have moved
	moved int
}

// newFlow returns the flow of a stream that is made with its context.
func (c *client) newFlow(ctx context.Context) *flow {
	f := &flow{stall: c.limits.stall, enough: c.limits.stallBytes, left: c.limits.stall}
	f.late = &tooLate{fmt.Sprintf("the stream did not move for %s", f.stall)}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	return f
}

// end ends the stream, if it has not ended.
func (f *flow) end() { f.cancel(nil) }

// move calls step, which waits for the stream and returns how many bytes it moved.
func (f *flow) move(step func() (int, error)) error {
	start := time.Now()
	timer := time.AfterFunc(f.left, func() { f.cancel(f.late) })
	n, err := step()
	timer.Stop()
	f.left -= time.Since(start)
	if f.moved += n; f.moved >= f.enough {
		f.left, f.moved = f.stall, 0
	}
	if err != nil && context.Cause(f.ctx) == error(f.late) {
		return f.late
	}
	return err
}
