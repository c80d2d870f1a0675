package reapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/treewright/treewright/builder/remote"
)

// worker is a server with an Execution service. Each command writes a list of its inputs, with their content, into each output.
type worker struct {
	*server
	repb.UnimplementedExecutionServer
	longrunningpb.UnimplementedOperationsServer
	// turns has one turn for each of the first calls of Execute and WaitExecution. Later calls execute the Action.
	turns []turn
	// cancelled gets the names of the operations that clients cancel.
	cancelled chan string
	commands  []*repb.Command
	acted     []*repb.Action
	skipped   []bool
}

type turn func(x *execution) error

// execution is a call of Execute or WaitExecution.
type execution struct {
	*worker
	stream grpc.ServerStreamingServer[longrunningpb.Operation]
	name   string
	action *repb.Digest
}

func newWorker(turns ...turn) *worker {
	w := &worker{server: newServer(), turns: turns, cancelled: make(chan string, 10)}
	w.execution = &repb.ExecutionCapabilities{ExecEnabled: true, DigestFunctions: []repb.DigestFunction_Value{repb.DigestFunction_SHA256}}
	w.register = func(g *grpc.Server) {
		repb.RegisterExecutionServer(g, w)
		longrunningpb.RegisterOperationsServer(g, w)
	}
	return w
}

// eager are limits for tests of the executor.
var eager = func() limits {
	l := patient
	l.work = work{beat: 20 * time.Second, tries: 4, runs: 3, pause: time.Millisecond, longest: 10 * time.Second, cancel: 5 * time.Second}
	return l
}()

func (w *worker) executor(t testing.TB) *executor { return w.executorWithin(t, eager) }

func (w *worker) executorWithin(t testing.TB, l limits) *executor {
	t.Helper()
	e, err := openExecution(remote.Access{URL: "grpc://" + w.start(t) + "/some/instance"}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func (w *worker) Execute(r *repb.ExecuteRequest, stream repb.Execution_ExecuteServer) error {
	w.mu.Lock()
	w.skipped = append(w.skipped, r.SkipCacheLookup)
	earlier := w.results[r.InstanceName+"/"+r.ActionDigest.Hash]
	x := &execution{w, stream, fmt.Sprint("operations/", w.calls["Execute"], r.ActionDigest.Hash), r.ActionDigest}
	w.mu.Unlock()
	if earlier != nil && !r.SkipCacheLookup {
		return x.done(&repb.ExecuteResponse{Result: earlier, CachedResult: true})
	}
	return x.turn()
}

func (w *worker) WaitExecution(r *repb.WaitExecutionRequest, stream repb.Execution_WaitExecutionServer) error {
	hash := r.Name[len(r.Name)-64:]
	w.mu.Lock()
	size := len(w.blobs[hash])
	w.mu.Unlock()
	return (&execution{w, stream, r.Name, &repb.Digest{Hash: hash, SizeBytes: int64(size)}}).turn()
}

func (w *worker) CancelOperation(_ context.Context, r *longrunningpb.CancelOperationRequest) (*emptypb.Empty, error) {
	w.cancelled <- r.Name
	return &emptypb.Empty{}, nil
}

func (x *execution) turn() error {
	x.mu.Lock()
	do := carryOut
	if len(x.turns) > 0 {
		do, x.turns = x.turns[0], x.turns[1:]
	}
	x.mu.Unlock()
	return do(x)
}

// state sends a state of the operation.
func (x *execution) state(m *repb.ExecuteOperationMetadata) error {
	about, err := anypb.New(m)
	if err != nil {
		return err
	}
	return x.stream.Send(&longrunningpb.Operation{Name: x.name, Metadata: about})
}

func (x *execution) done(r *repb.ExecuteResponse) error {
	about, err := anypb.New(r)
	if err != nil {
		return err
	}
	return x.stream.Send(&longrunningpb.Operation{Name: x.name, Done: true, Result: &longrunningpb.Operation_Response{Response: about}})
}

// failed ends the operation with a code.
func (x *execution) failed(code codes.Code, details ...*errdetails.PreconditionFailure) error {
	s := status.New(code, "failed by the test")
	for _, d := range details {
		s, _ = s.WithDetails(d)
	}
	return x.done(&repb.ExecuteResponse{Status: s.Proto()})
}

// blob returns a blob that the Action needs, or decodes it into m if m is not nil.
func (x *execution) blob(d *repb.Digest, m proto.Message) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	content, found := x.blobs[d.GetHash()]
	if !found && d.GetSizeBytes() > 0 {
		return nil, &violation{"blobs/" + d.GetHash() + "/" + fmt.Sprint(d.GetSizeBytes())}
	}
	if m == nil {
		return content, nil
	}
	return nil, proto.Unmarshal(content, m)
}

type violation struct{ subject string }

func (v *violation) Error() string { return v.subject }

func (v *violation) failure() *errdetails.PreconditionFailure {
	return &errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{{Type: "MISSING", Subject: v.subject}}}
}

// list writes a list of the files of a directory. It returns an error if the directory is not sorted, as the API requires.
func (x *execution) list(w *strings.Builder, at string, d *repb.Digest) error {
	var dir repb.Directory
	if _, err := x.blob(d, &dir); err != nil {
		return err
	}
	if !slices.IsSortedFunc(dir.Files, func(a, b *repb.FileNode) int { return strings.Compare(a.Name, b.Name) }) ||
		!slices.IsSortedFunc(dir.Directories, func(a, b *repb.DirectoryNode) int { return strings.Compare(a.Name, b.Name) }) {
		return errors.New("a directory is not sorted")
	}
	for _, f := range dir.Files {
		content, err := x.blob(f.Digest, nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s %v %x\n", path.Join(at, f.Name), f.IsExecutable, content[:min(len(content), 10)])
	}
	for _, below := range dir.Directories {
		if err := x.list(w, path.Join(at, below.Name), below.Digest); err != nil {
			return err
		}
	}
	return nil
}

// carryOut executes the Action, and stores its result.
func carryOut(x *execution) error {
	var action repb.Action
	var command repb.Command
	var listed strings.Builder
	_, err := x.blob(x.action, &action)
	if err == nil {
		_, err = x.blob(action.CommandDigest, &command)
	}
	if err == nil {
		err = x.list(&listed, "", action.InputRootDigest)
	}
	var missing *violation
	if errors.As(err, &missing) {
		return x.failed(codes.FailedPrecondition, missing.failure())
	}
	if err != nil {
		return x.failed(codes.InvalidArgument)
	}
	result := &repb.ActionResult{ExecutionMetadata: &repb.ExecutedActionMetadata{Worker: "worker-1"}, StdoutRaw: []byte("out\n"), StderrRaw: []byte("err\n")}
	x.mu.Lock()
	x.commands, x.acted = append(x.commands, &command), append(x.acted, &action)
	for _, name := range command.OutputPaths {
		b := blobOf([]byte(name + "\n" + listed.String()))
		x.blobs[b.digest.Hash] = b.content
		result.OutputFiles = append(result.OutputFiles, &repb.OutputFile{Path: name, Digest: b.digest})
	}
	x.results["some/instance/"+x.action.Hash] = result
	x.mu.Unlock()
	return x.done(&repb.ExecuteResponse{Result: result})
}

func input(path string, text []byte) remote.Input {
	return remote.Input{Path: path, Digest: digestFrom(blobOf(text).digest), Write: writing(text)}
}

// simple returns an Action with an input and an output.
func simple() *remote.Action {
	return &remote.Action{Arguments: []string{"./in", "x"}, Inputs: []remote.Input{input("in", []byte("one"))}, Outputs: []string{"out"}}
}

// outputOfSimple is the content of the output of the simple Action.
const outputOfSimple = "out\nin false 6f6e65\n"

func fetch(t testing.TB, e remote.Executor, d remote.Digest) string {
	t.Helper()
	var got bytes.Buffer
	if err := e.Fetch(context.Background(), d, func(r io.Reader) error { _, err := got.ReadFrom(r); return err }); err != nil {
		t.Error(err)
	}
	return got.String()
}

// check runs the simple Action, and checks its output.
func check(t testing.TB, e remote.Executor) *remote.Done {
	t.Helper()
	done, err := e.Run(t.Context(), simple())
	if err != nil {
		t.Fatal(err)
	}
	if got := fetch(t, e, done.Outputs["out"]); got != outputOfSimple || len(done.Outputs) != 1 || done.Status != 0 {
		t.Errorf("%+v, the output is %q", done, got)
	}
	return done
}
