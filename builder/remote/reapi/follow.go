package reapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/treewright/treewright/builder/remote"
)

// operations is a stream of an Action's states.
type operations interface {
	Recv() (*longrunningpb.Operation, error)
}

// follow has the Action executed, or waits for an execution that has begun, and returns the server's last word.
func (r *run) follow(ctx context.Context) (*repb.ExecuteResponse, error) {
	out, err := r.authorized(ctx)
	if err != nil {
		return nil, err
	}
	// An Action that nobody can name cannot be cancelled. So the stream lasts a moment longer than ctx, if the server has not
	// answered yet.
	out, end := context.WithCancel(context.WithoutCancel(out))
	defer end()
	named := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		select {
		case <-named:
		case <-out.Done():
		case <-time.After(r.limits.cancel):
		}
		end()
	})()
	r.waiting.Add(1)
	defer r.waiting.Add(-1)
	waits := r.operation != ""
	stream, err := r.open(out)
	for first := true; err == nil; first = false {
		var now *longrunningpb.Operation
		if now, err = stream.Recv(); err != nil {
			break
		}
		if first {
			r.operation = now.GetName()
			close(named)
		}
		if now.GetDone() {
			return lastWord(now)
		}
		r.note(ctx, now)
	}
	if s := status.Convert(err); waits && (s.Code() == codes.NotFound || s.Code() == codes.Unimplemented) {
		r.operation = "" // the server has forgotten it
		return nil, &passing{r.fault(ctx, execute, err)}
	}
	if errors.Is(err, io.EOF) {
		return nil, &passing{errors.New("the server ended the stream before the Action was done")}
	}
	return nil, r.refused(ctx, status.Convert(err))
}

func (r *run) open(ctx context.Context) (operations, error) {
	if r.operation != "" {
		return r.execution.WaitExecution(ctx, &repb.WaitExecutionRequest{Name: r.operation})
	}
	r.began = false
	r.logs.end()
	return r.execution.Execute(ctx, &repb.ExecuteRequest{
		InstanceName: r.at.instance, ActionDigest: r.action, DigestFunction: repb.DigestFunction_SHA256,
		SkipCacheLookup: r.again, InlineStdout: true, InlineStderr: true,
	})
}

// note takes note of an Action's state.
func (r *run) note(ctx context.Context, now *longrunningpb.Operation) {
	var state repb.ExecuteOperationMetadata
	if now.GetMetadata().UnmarshalTo(&state) != nil {
		return // servers may have states of their own
	}
	if state.GetStage() == repb.ExecutionStage_EXECUTING {
		r.began = true
	}
	r.logs.follow(ctx, state.GetStdoutStreamName(), state.GetStderrStreamName())
}

// lastWord returns the response of an operation that is done.
func lastWord(now *longrunningpb.Operation) (*repb.ExecuteResponse, error) {
	// The API does not allow this error, and some servers use it.
	if failed := now.GetError(); failed != nil {
		return &repb.ExecuteResponse{Status: failed}, nil
	}
	var answer repb.ExecuteResponse
	if err := now.GetResponse().UnmarshalTo(&answer); err != nil {
		return nil, fmt.Errorf("%w: its operation is done without an ExecuteResponse", remote.ErrWrong)
	}
	return &answer, nil
}
