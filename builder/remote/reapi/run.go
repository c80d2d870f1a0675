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
	can, err := e.able(ctx)
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
	r := &run{executor: e, asked: a, can: can, action: action, needs: needs, again: a.Again, logs: logs{executor: e, to: a.Output}}
	defer r.logs.end()
	return r.all(ctx)
}

// run is an Action during its execution.
type run struct {
	*executor
	asked  *remote.Action
	can    abilities
	action *repb.Digest
	needs  sources
	// again is true if the result of an earlier execution cannot be used.
	again bool
	// lost are the hashes of blobs that the server lost after they were sent.
	lost map[string]bool
	// operation is the server's name for the execution, or "" without an execution.
	operation string
	// began is true if a worker has begun with the execution.
	began bool
	logs  logs
}

// all calls once until once returns a result or a permanent error, or too many passing errors.
func (r *run) all(ctx context.Context) (*remote.Done, error) {
	for try, ran := 1, 0; ; try++ {
		began := time.Now()
		done, err := r.once(ctx)
		var p *passing
		switch {
		case err == nil || ctx.Err() != nil || !errors.As(err, &p):
			return done, r.fault(ctx, execute, err)
		case time.Since(began) > r.limits.longest:
			try = 1
		}
		err = r.fault(ctx, execute, p.error)
		if p.ran {
			ran++
		}
		if ran == r.limits.runs || try == r.limits.tries {
			return nil, fmt.Errorf("%w (%d tries)", err, max(ran, try))
		}
		r.limits.pauseAfter(ctx, try)
	}
}

// once gets the result of the Action from an earlier execution, from the execution in r.operation, or from a new execution.
func (r *run) once(ctx context.Context) (*remote.Done, error) {
	if r.operation == "" {
		r.logs.end() // the next execution has a separate log
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

// earlier returns the result of an earlier execution, or nil without a usable result. The result of a failed command is not used,
// because the worker can be the cause.
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

// cancel cancels the execution. Errors are ignored, because not all servers can cancel.
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
