package reapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/treewright/treewright/builder/remote"
)

const execute = "execute an Action"

// Run implements [remote.Executor].
func (e *executor) Run(ctx context.Context, a *remote.Action) (*remote.Done, error) {
	can, err := e.abilities(ctx)
	if err == nil && can.idle != nil {
		err = e.fault(ctx, execute, can.idle)
	}
	if err != nil {
		return nil, err
	}
	action, needs, err := encoded(a)
	if err != nil {
		return nil, err
	}
	r := &run{executor: e, asked: a, can: can, action: action, needs: needs, again: a.Again, left: e.limits.runs, logs: logs{executor: e, to: a.Output}}
	defer r.logs.end()
	for try := 1; ; try++ {
		began := time.Now()
		done, err := r.try(ctx)
		var passing *passing
		if err == nil || ctx.Err() != nil || !errors.As(err, &passing) {
			return done, e.fault(ctx, execute, err)
		}
		if time.Since(began) > e.limits.longest {
			try = 1
		}
		if try >= e.limits.tries {
			return nil, e.fault(ctx, execute, fmt.Errorf("%w (after %d tries)", err, try))
		}
		select {
		case <-ctx.Done():
		case <-time.After(e.limits.wait(try)):
		}
	}
}

// run is an Action that is being carried out.
type run struct {
	*executor
	asked  *remote.Action
	can    abilities
	action *repb.Digest
	needs  sources
	// again is true if an earlier result does not serve.
	again bool
	// lost are the hashes of blobs that the server names as missing.
	lost map[string]bool
	// left is how often the Action may still be lost with a worker.
	left int
	// operation is the server's name for the execution, "" before there is one.
	operation string
	// began is true if a worker has begun.
	began bool
	logs  logs
}

// passing is an error after which it makes sense to try once more.
type passing struct{ error }

func (p *passing) Unwrap() error { return p.error }

// mark makes an error of the connection, or of the server for the moment, a passing one.
func mark(err error) error {
	var (
		late *tooLate
		r    *refusal
	)
	if errors.As(err, &late) || errors.As(err, &r) && passes(r.code) {
		return &passing{err}
	}
	return err
}

// passes reports whether a call that ends with a code can have another end the next time. Cancelled and DeadlineExceeded are
// among them, because it is a proxy or a server that ends a call with them: the calls of this client end by their contexts.
func passes(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.Aborted, codes.Internal, codes.Unknown, codes.ResourceExhausted, codes.Canceled, codes.DeadlineExceeded:
		return true
	}
	return false
}

// try gets the result of the Action: of an earlier execution, of one that was begun, or of a new one.
func (r *run) try(ctx context.Context) (*remote.Done, error) {
	if r.operation == "" {
		if !r.again {
			done, err := r.earlier(ctx)
			if done != nil || err != nil {
				return done, mark(err)
			}
		}
		if err := r.sendMissing(ctx, r.can, r.needs, r.lost); err != nil {
			return nil, mark(err)
		}
		r.lost = nil
	}
	answer, err := r.follow(ctx)
	switch {
	case ctx.Err() != nil:
		r.cancel(ctx)
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	}
	r.operation = ""
	return r.outcome(ctx, answer)
}

// earlier returns the result of an earlier execution, nil if there is none that serves. One that failed does not, as the cause
// may have been the worker.
func (r *run) earlier(ctx context.Context) (*remote.Done, error) {
	var answer *repb.ActionResult
	err := r.call(ctx, "ask for the result of an Action", func(ctx context.Context) (err error) {
		answer, err = r.actions.GetActionResult(ctx, &repb.GetActionResultRequest{
			InstanceName: r.at.instance, ActionDigest: r.action, DigestFunction: repb.DigestFunction_SHA256, InlineStdout: true, InlineStderr: true,
		})
		return err
	})
	if has(err, codes.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.finished(ctx, answer, true)
}

// cancel cancels the execution. Its result does not matter: not all servers can do that.
func (r *run) cancel(ctx context.Context) {
	if r.operation == "" {
		return
	}
	limited, end := context.WithTimeout(context.WithoutCancel(ctx), r.limits.cancel)
	defer end()
	_ = r.call(limited, "cancel an Action", func(ctx context.Context) error {
		_, err := r.operations.CancelOperation(ctx, &longrunningpb.CancelOperationRequest{Name: r.operation})
		return err
	})
}
