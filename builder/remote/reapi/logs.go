package reapi

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"

	"github.com/treewright/treewright/builder/remote"
)

// logs writes the standard output and error of a command to the Output of its Action.
type logs struct {
	*executor
	mu sync.Mutex
	to io.Writer
	// both are the standard output and the standard error.
	both [2]log
}

// log is the standard output or the standard error of one execution.
type log struct {
	// stream is the name of the resource with the log while the command runs, or "" if the server does not have such a stream.
	stream string
	// written is the number of bytes that were written to the Output.
	written int64
	conn    *grpc.ClientConn
	stop    context.CancelFunc
	ended   chan struct{} // closed when the stream is not read any more
}

// follow begins to read the streams of the standard output and of the standard error, if their names are new.
func (l *logs) follow(ctx context.Context, conn *grpc.ClientConn, names ...string) {
	for i, name := range names {
		if name == "" || l.to == nil || name == l.both[i].stream {
			continue
		}
		l.both[i].end()
		ctx, stop := context.WithCancel(ctx)
		l.both[i] = log{stream: name, conn: conn, stop: stop, ended: make(chan struct{})}
		go l.read(ctx, &l.both[i])
	}
}

// read writes a stream until it ends. If the stream breaks, read continues at the same place, a few times. After that, the result has
// the rest of the log.
func (l *logs) read(ctx context.Context, one *log) {
	defer close(one.ended)
	for try := range l.limits.tries {
		if l.readOnce(ctx, one) == nil || ctx.Err() != nil {
			return
		}
		l.limits.pauseAfter(ctx, try+1)
	}
}

func (l *logs) readOnce(ctx context.Context, one *log) error {
	out, err := l.authorized(ctx)
	if err != nil {
		return err
	}
	stream, err := bytestream.NewByteStreamClient(one.conn).Read(out, &bytestream.ReadRequest{ResourceName: one.stream, ReadOffset: one.written})
	for err == nil {
		var some *bytestream.ReadResponse
		if some, err = stream.Recv(); err == nil {
			l.write(one, some.GetData())
		}
	}
	if err == io.EOF {
		return nil
	}
	return err
}

func (l *logs) write(one *log, text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one.written += int64(len(text))
	_, _ = l.to.Write(text) // a log that cannot be written does not stop the Action
}

// end ends the reading of a stream.
func (one *log) end() {
	if one.stream != "" {
		one.stop()
		<-one.ended
	}
	*one = log{}
}

// end ends the reading of both streams.
func (l *logs) end() {
	for i := range l.both {
		l.both[i].end()
	}
}

// rest writes the parts of the logs that were not written while the command ran. result is the result of the finished execution.
func (l *logs) rest(ctx context.Context, result *repb.ActionResult) {
	if l.to == nil {
		return
	}
	l.restOf(ctx, &l.both[0], result.GetStdoutRaw(), result.GetStdoutDigest())
	l.restOf(ctx, &l.both[1], result.GetStderrRaw(), result.GetStderrDigest())
}

func (l *logs) restOf(ctx context.Context, one *log, raw []byte, d *repb.Digest) {
	if one.stream != "" {
		if len(raw) == 0 && d.GetSizeBytes() == 0 {
			select { // the result does not have the log: wait for the stream
			case <-one.ended:
			case <-time.After(l.limits.call):
			case <-ctx.Done():
			}
		}
		one.stop()
		<-one.ended
	}
	if len(raw) > 0 {
		if n := min(one.written, int64(len(raw))); n < int64(len(raw)) {
			l.write(one, raw[n:])
		}
		return
	}
	if d.GetSizeBytes() <= one.written {
		return
	}
	err := l.Fetch(ctx, remote.Digest{Hash: d.GetHash(), Size: d.GetSizeBytes()}, func(content io.Reader) error {
		_, err := io.CopyN(io.Discard, content, one.written)
		if err == nil {
			_, err = io.Copy(writer{l, one}, content)
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		l.write(one, fmt.Appendf(nil, "(the rest of the output is missing: %v)\n", err))
	}
}

// writer writes to a log.
type writer struct {
	*logs
	one *log
}

func (w writer) Write(text []byte) (int, error) {
	w.write(w.one, text)
	return len(text), nil
}
