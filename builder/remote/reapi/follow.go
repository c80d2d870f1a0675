package reapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/treewright/treewright/builder/remote"
)

// states is a stream of the states of an execution.
type states interface {
	Recv() (*longrunningpb.Operation, error)
}

// follow starts an execution, or waits for the execution in r.operation. It returns the server's answer when the execution ends.
func (r *run) follow(ctx context.Context) (*repb.ExecuteResponse, error) {
	out, err := r.authorized(ctx)
	if err != nil {
		return nil, err
	}
	// The client needs the name of an execution to cancel it. So if ctx ends before the server sends the name, the stream stays
	// open for a moment.
	out, end := context.WithCancel(context.WithoutCancel(out))
	defer end()
	named := make(chan struct{})
	name := sync.OnceFunc(func() { close(named) })
	defer context.AfterFunc(ctx, func() {
		select {
		case <-named:
		case <-out.Done():
		case <-time.After(r.limits.cancel):
		}
		end()
	})()
	conn, leave, err := r.lanes.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	waits := r.operation != ""
	if waits {
		name()
	}
	stream, err := r.open(out, conn)
	for err == nil {
		var now *longrunningpb.Operation
		if now, err = stream.Recv(); err != nil {
			break
		}
		r.operation = now.GetName()
		name()
		if now.GetDone() {
			return answerOf(now)
		}
		r.note(ctx, conn, now)
	}
	return nil, r.broken(ctx, waits, err)
}

func (r *run) open(ctx context.Context, conn *grpc.ClientConn) (states, error) {
	execution := repb.NewExecutionClient(conn)
	if r.operation != "" {
		return execution.WaitExecution(ctx, &repb.WaitExecutionRequest{Name: r.operation})
	}
	r.began = false
	return execution.Execute(ctx, &repb.ExecuteRequest{
		InstanceName: r.at.instance, ActionDigest: r.action, DigestFunction: repb.DigestFunction_SHA256,
		SkipCacheLookup: r.again, InlineStdout: true, InlineStderr: true,
	})
}

// note records whether a worker has begun, and follows the logs that a state names.
func (r *run) note(ctx context.Context, conn *grpc.ClientConn, now *longrunningpb.Operation) {
	var state repb.ExecuteOperationMetadata
	if now.GetMetadata().UnmarshalTo(&state) != nil {
		return // servers may send other types of states
	}
	if state.GetStage() == repb.ExecutionStage_EXECUTING {
		r.began = true
	}
	r.logs.follow(ctx, conn, state.GetStdoutStreamName(), state.GetStderrStreamName())
}

// answerOf returns the answer of a finished execution.
func answerOf(now *longrunningpb.Operation) (*repb.ExecuteResponse, error) {
	// The API does not allow an error here, but some servers send an error.
	if failed := now.GetError(); failed != nil {
		return &repb.ExecuteResponse{Status: failed}, nil
	}
	var answer repb.ExecuteResponse
	if err := now.GetResponse().UnmarshalTo(&answer); err != nil {
		return nil, fmt.Errorf("%w: the operation ended without an ExecuteResponse", remote.ErrWrong)
	}
	return &answer, nil
}

// broken returns the error for a stream that ended before its execution. waits is true for a stream of WaitExecution.
func (r *run) broken(ctx context.Context, waits bool, err error) error {
	s := status.Convert(err)
	switch s.Code() {
	case codes.NotFound, codes.Unimplemented, codes.InvalidArgument, codes.FailedPrecondition:
		if waits { // the server has forgotten the operation
			r.operation = ""
			return &passing{r.fault(ctx, execute, err), true}
		}
	}
	if errors.Is(err, io.EOF) {
		return &passing{error: errors.New("the server ended the stream before the Action was done")}
	}
	return r.refused(ctx, s)
}
