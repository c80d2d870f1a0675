package reapi

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// screen is a writer that keeps its text. A test can wait until the screen has a text.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// shows waits some seconds until the screen has a text, and reports whether the screen has it.
func (s *screen) shows(text string) bool {
	for start := time.Now(); time.Since(start) < 5*time.Second; time.Sleep(time.Millisecond) {
		if strings.Contains(s.String(), text) {
			return true
		}
	}
	return false
}

// stream makes a server send a log in pieces. The server sends a piece after the screen has the earlier pieces. The stream breaks
// after the second piece.
func (w *worker) stream(s *screen, pieces ...string) {
	whole, broken := strings.Join(pieces, ""), false
	w.read = func(r *bytestream.ReadRequest, stream bytestream.ByteStream_ReadServer) error {
		if r.ResourceName != "logs/1/out" {
			return status.Error(codes.NotFound, "this is not a log")
		}
		sent := 0
		for i, piece := range pieces {
			if sent += len(piece); int64(sent) <= r.ReadOffset {
				continue
			}
			if err := stream.Send(&bytestream.ReadResponse{Data: []byte(piece)}); err != nil {
				return err
			}
			if !s.shows(whole[:sent]) {
				return errors.New("the piece is not shown")
			}
			if i == 1 && !broken {
				broken = true
				return status.Error(codes.Unavailable, "broken by the test")
			}
		}
		return nil
	}
}

// TestLogs: all output of a command is shown once. If the server has a stream, the output is shown while the command runs.
func TestLogs(t *testing.T) {
	names := &repb.ExecuteOperationMetadata{StdoutStreamName: "logs/1/out"}
	long := string(content(150_000)) + "end"
	for name, test := range map[string]struct {
		pieces []string
		result *repb.ActionResult
		want   string
	}{
		"stream alone":    {[]string{"one ", "two ", "three "}, &repb.ActionResult{}, "one two three "},
		"stream and all":  {[]string{"one ", "two "}, &repb.ActionResult{StdoutRaw: []byte("one two "), StderrRaw: []byte("err")}, "one two err"},
		"rest":            {[]string{"one ", "two "}, &repb.ActionResult{StdoutRaw: []byte("one two three ")}, "one two three "},
		"rest, as a blob": {[]string{long[:100], long[100:200]}, &repb.ActionResult{StdoutDigest: blobOf([]byte(long)).digest}, long},
		"no stream":       {nil, &repb.ActionResult{StdoutDigest: blobOf([]byte(long)).digest, StderrRaw: []byte("err")}, long + "err"},
		"no blob":         {nil, &repb.ActionResult{StdoutRaw: []byte("out "), StderrDigest: blobOf([]byte("x")).digest}, "out (the rest of the output is missing: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &screen{}
			w := newWorker(func(x *execution) error {
				if err := x.state(names); err != nil {
					return err
				}
				if !s.shows(strings.Join(test.pieces, "")) {
					return errors.New("the log is not shown while the command runs")
				}
				return x.done(&repb.ExecuteResponse{Result: test.result})
			})
			w.stream(s, test.pieces...)
			w.blobs[blobOf([]byte(long)).digest.Hash] = []byte(long)
			a := simple()
			a.Output = s
			if _, err := w.executor(t).Run(t.Context(), a); err != nil {
				t.Error(err)
			}
			if got := s.String(); got != test.want && (name != "no blob" || !strings.HasPrefix(got, test.want)) {
				t.Errorf("%d bytes are shown, want %d: %.200q", len(got), len(test.want), got)
			}
		})
	}
}

// TestLogsOfLost: the log of a lost execution is shown, and then the log of the next execution. The log of a command that took too
// long is also shown.
func TestLogsOfLost(t *testing.T) {
	some := func(code codes.Code, text string) turn {
		return func(x *execution) error {
			return x.done(&repb.ExecuteResponse{Result: &repb.ActionResult{StdoutRaw: []byte(text)}, Status: status.New(code, "").Proto()})
		}
	}
	s := &screen{}
	w := newWorker(some(codes.Aborted, "first "), some(codes.DeadlineExceeded, "second "))
	a := simple()
	a.Output, a.Timeout = s, time.Minute
	if _, err := w.executor(t).Run(t.Context(), a); err == nil || !strings.HasSuffix(err.Error(), "did not end within 1m0s") || s.String() != "first second " {
		t.Errorf("%v, the log is %q", err, s)
	}
}
