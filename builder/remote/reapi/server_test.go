package reapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// server keeps blobs and ActionResults, and checks the uploads, as real servers do. Its switches give it the faults that
// a build has to survive.
type server struct {
	repb.UnimplementedActionCacheServer
	repb.UnimplementedContentAddressableStorageServer
	repb.UnimplementedCapabilitiesServer
	bytestream.UnimplementedByteStreamServer

	can repb.CacheCapabilities
	// header must be in each call with its value, if it is set.
	header, value string
	// refuse has the calls that are refused, by the last word of their names, and how often. -1 is always.
	refuse map[string]int
	with   codes.Code
	// hang has the calls that do not get an answer.
	hang map[string]bool
	// send changes the bytes of a blob that is sent as a stream, in the form of the stream.
	send func([]byte) []byte
	// pause is called after each message of a stream that is sent.
	pause func()
	// have is true if uploads end with the first message, as the server has the blob.
	have bool
	// committed changes the size in the answer to an upload.
	committed func(int64) int64
	// hidden has blobs that the server does not have. FindMissingBlobs does not report them.
	hidden map[string]bool
	// execution has the abilities of an Execution service; register adds the service.
	execution *repb.ExecutionCapabilities
	register  func(*grpc.Server)
	// read answers Read for resources that are not blobs.
	read func(*bytestream.ReadRequest, bytestream.ByteStream_ReadServer) error

	mu      sync.Mutex
	blobs   map[string][]byte
	results map[string]*repb.ActionResult
	calls   map[string]int
}

func newServer() *server {
	return &server{
		can: repb.CacheCapabilities{
			DigestFunctions:               []repb.DigestFunction_Value{repb.DigestFunction_SHA1, repb.DigestFunction_SHA256},
			SupportedCompressors:          []repb.Compressor_Value{repb.Compressor_ZSTD},
			ActionCacheUpdateCapabilities: &repb.ActionCacheUpdateCapabilities{UpdateEnabled: true},
			MaxBatchTotalSizeBytes:        4 << 20,
		},
		blobs: map[string][]byte{}, results: map[string]*repb.ActionResult{}, calls: map[string]int{},
	}
}

// start makes the server listen on loopback until the test ends. It returns HOST:PORT.
func (s *server) start(t testing.TB, options ...grpc.ServerOption) string {
	t.Helper()
	return s.serve(t, grpc.NewServer(append(options, grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream))...), "127.0.0.1:0")
}

func (s *server) serve(t testing.TB, g *grpc.Server, at string) string {
	t.Helper()
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	repb.RegisterActionCacheServer(g, s)
	repb.RegisterContentAddressableStorageServer(g, s)
	repb.RegisterCapabilitiesServer(g, s)
	bytestream.RegisterByteStreamServer(g, s)
	if s.register != nil {
		s.register(g)
	}
	go g.Serve(listener)
	t.Cleanup(g.Stop)
	return listener.Addr().String()
}

// begin counts a call, and returns the error that the switches give it.
func (s *server) begin(ctx context.Context, method string) error {
	name := method[strings.LastIndex(method, "/")+1:]
	s.mu.Lock()
	s.calls[name]++
	left, hang := s.refuse[name], s.hang[name]
	if left > 0 {
		s.refuse[name]--
	}
	s.mu.Unlock()
	got := metadata.ValueFromIncomingContext(ctx, s.header)
	switch {
	case hang:
		<-ctx.Done()
		return ctx.Err()
	case left != 0:
		return status.Error(s.with, "refused by the test")
	case s.header != "" && (len(got) != 1 || got[0] != s.value):
		return status.Errorf(codes.Unauthenticated, "%s is %q", s.header, got)
	}
	return nil
}

func (s *server) unary(ctx context.Context, r any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if err := s.begin(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return handle(ctx, r)
}

func (s *server) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if err := s.begin(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return handle(srv, stream)
}

func (s *server) GetCapabilities(context.Context, *repb.GetCapabilitiesRequest) (*repb.ServerCapabilities, error) {
	return &repb.ServerCapabilities{CacheCapabilities: &s.can, ExecutionCapabilities: s.execution}, nil
}

func (s *server) GetActionResult(_ context.Context, r *repb.GetActionResultRequest) (*repb.ActionResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.results[r.InstanceName+"/"+r.ActionDigest.Hash]; found != nil {
		return found, nil
	}
	return nil, status.Error(codes.NotFound, "no such action")
}

func (s *server) UpdateActionResult(_ context.Context, r *repb.UpdateActionResultRequest) (*repb.ActionResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blobs[r.ActionDigest.Hash] == nil {
		return nil, status.Error(codes.FailedPrecondition, "the Action is missing")
	}
	for _, f := range r.ActionResult.OutputFiles {
		if s.blobs[f.Digest.Hash] == nil {
			return nil, status.Error(codes.FailedPrecondition, "an output is missing")
		}
	}
	s.results[r.InstanceName+"/"+r.ActionDigest.Hash] = r.ActionResult
	return r.ActionResult, nil
}

func (s *server) FindMissingBlobs(_ context.Context, r *repb.FindMissingBlobsRequest) (*repb.FindMissingBlobsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := &repb.FindMissingBlobsResponse{}
	for _, d := range r.BlobDigests {
		if s.blobs[d.Hash] == nil && !s.hidden[d.Hash] {
			answer.MissingBlobDigests = append(answer.MissingBlobDigests, d)
		}
	}
	return answer, nil
}

func (s *server) BatchUpdateBlobs(_ context.Context, r *repb.BatchUpdateBlobsRequest) (*repb.BatchUpdateBlobsResponse, error) {
	answer := &repb.BatchUpdateBlobsResponse{}
	size := int64(0)
	for _, one := range r.Requests {
		size += int64(len(one.Data))
		state := status.New(codes.OK, "")
		if err := s.keep(one.Digest.Hash, one.Data); err != nil {
			state = status.Convert(err)
		}
		answer.Responses = append(answer.Responses, &repb.BatchUpdateBlobsResponse_Response{Digest: one.Digest, Status: state.Proto()})
	}
	if size > s.can.MaxBatchTotalSizeBytes {
		return nil, status.Error(codes.InvalidArgument, "too much at once")
	}
	return answer, nil
}

func (s *server) keep(digest string, content []byte) error {
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != digest {
		return status.Error(codes.InvalidArgument, "this is not the blob of the digest")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[digest] = content
	return nil
}

// named returns the digest in the name of a resource.
func named(words []string) (digest string, size int64, compressed bool, err error) {
	i := 0
	for i < len(words) && words[i] != "blobs" && words[i] != "compressed-blobs" {
		i++
	}
	if i < len(words) && words[i] == "compressed-blobs" && i+1 < len(words) && words[i+1] == "zstd" {
		compressed = true
		i++
	}
	if i+3 != len(words) {
		return "", 0, false, status.Errorf(codes.InvalidArgument, "bad name %v", words)
	}
	size, err = strconv.ParseInt(words[i+2], 10, 64)
	return words[i+1], size, compressed, err
}

func (s *server) Read(r *bytestream.ReadRequest, stream bytestream.ByteStream_ReadServer) error {
	if s.read != nil && !strings.Contains(r.ResourceName, "blobs/") {
		return s.read(r, stream)
	}
	digest, size, compressed, err := named(strings.Split(r.ResourceName, "/"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	content := s.blobs[digest]
	s.mu.Unlock()
	if content == nil || int64(len(content)) != size {
		return status.Error(codes.NotFound, "no such blob")
	}
	if compressed {
		encoder, err := zstd.NewWriter(nil)
		if err != nil {
			return err
		}
		content = encoder.EncodeAll(content, nil)
	}
	if s.send != nil {
		content = s.send(bytes.Clone(content))
	}
	for len(content) > 0 {
		n := min(len(content), 50_000)
		if err := stream.Send(&bytestream.ReadResponse{Data: content[:n]}); err != nil {
			return err
		}
		content = content[n:]
		if s.pause != nil {
			s.pause()
		}
	}
	return nil
}

func (s *server) Write(stream bytestream.ByteStream_WriteServer) error {
	var got bytes.Buffer
	var name string
	for {
		r, err := stream.Recv()
		if err == io.EOF {
			return status.Error(codes.InvalidArgument, "the stream ends before it is finished")
		}
		if err != nil {
			return err
		}
		if name == "" {
			name = r.ResourceName
		}
		if r.WriteOffset != int64(got.Len()) || r.ResourceName != name {
			return status.Errorf(codes.InvalidArgument, "offset %d of %s after %d bytes of %s", r.WriteOffset, r.ResourceName, got.Len(), name)
		}
		got.Write(r.Data)
		digest, size, compressed, err := named(strings.Split(name, "/"))
		if err != nil {
			return err
		}
		if s.have {
			if compressed {
				size = -1
			}
			return stream.SendAndClose(&bytestream.WriteResponse{CommittedSize: size})
		}
		if r.FinishWrite {
			return s.finish(stream, digest, compressed, got.Bytes())
		}
	}
}

func (s *server) finish(stream bytestream.ByteStream_WriteServer, digest string, compressed bool, got []byte) error {
	content := got
	if compressed {
		decoder, err := zstd.NewReader(nil)
		if err != nil {
			return err
		}
		defer decoder.Close()
		if content, err = decoder.DecodeAll(got, nil); err != nil {
			return status.Error(codes.InvalidArgument, fmt.Sprint("not Zstandard: ", err))
		}
	}
	if err := s.keep(digest, content); err != nil {
		return err
	}
	size := int64(len(got))
	if s.committed != nil {
		size = s.committed(size)
	}
	return stream.SendAndClose(&bytestream.WriteResponse{CommittedSize: size})
}
