package reapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/treewright/treewright/builder/remote"
)

// executor is a connection to a server that executes Actions. It implements [remote.Executor].
type executor struct {
	*client
	operations longrunningpb.OperationsClient
	lanes      *lanes
	// sending has an entry for each upload, so that those of many Actions share the connection and the memory.
	sending chan struct{}
}

var _ remote.Executor = (*executor)(nil)

// OpenExecution returns the executor of a server. It connects only when the executor is used.
func OpenExecution(access remote.Access) (remote.Executor, error) {
	return openExecution(access, steady)
}

func openExecution(access remote.Access, l limits) (*executor, error) {
	// A connection on which nothing has arrived for the time of two calls of beat is checked by a ping of HTTP/2. So a
	// server that is there does not get pings: many servers end a connection (ENHANCE_YOUR_CALM) on which pings come more often
	// than once in 5 minutes.
	alive := keepalive.ClientParameters{Time: 2 * l.beat, Timeout: l.beat}
	c, err := executing.connect(access, l, grpc.WithKeepaliveParams(alive))
	if err != nil {
		return nil, err
	}
	e := &executor{
		client: c, operations: longrunningpb.NewOperationsClient(c.conn),
		lanes: &lanes{client: c}, sending: make(chan struct{}, l.lookups),
	}
	go e.lanes.beat()
	return e, nil
}

// Close implements [remote.Executor].
func (e *executor) Close() error { return errors.Join(e.client.Close(), e.lanes.close()) }

// able returns the abilities of the server. If it could not be asked the first time, it is asked once more for each Action.
func (e *executor) able(ctx context.Context) (abilities, error) {
	can, err := e.abilities(ctx)
	var p *passing
	if ctx.Err() == nil && errors.As(mark(err), &p) {
		return e.askAbilities(ctx, e.conn)
	}
	return can, err
}

// Fetch implements [remote.Executor].
func (e *executor) Fetch(ctx context.Context, d remote.Digest, read func(content io.Reader) error) error {
	can, err := e.able(ctx)
	if err != nil {
		return err
	}
	blob := &repb.Digest{Hash: d.Hash, SizeBytes: d.Size}
	if err := plausible(blob); err != nil {
		return e.fault(ctx, e.get, err)
	}
	// Servers do not have to keep the empty blob.
	if d == empty {
		return read(bytes.NewReader(nil))
	}
	for try := 1; ; try++ {
		called := false
		err := e.download(ctx, blob, can.zstd, func(content io.Reader) error {
			called = true
			return read(content)
		})
		var p *passing
		if called || ctx.Err() != nil || try == e.limits.tries || !errors.As(mark(err), &p) {
			return err
		}
		e.limits.pauseAfter(ctx, try)
	}
}

// empty is the digest of nothing.
var empty = digestFrom(blobOf(nil).digest)

func digestFrom(d *repb.Digest) remote.Digest {
	return remote.Digest{Hash: d.GetHash(), Size: d.GetSizeBytes()}
}

// plausible returns an error if a digest cannot be that of a blob.
func plausible(d *repb.Digest) error {
	if !sha256Digits.MatchString(d.GetHash()) || d.GetSizeBytes() < 0 || d.GetSizeBytes() > mostBytes {
		return fmt.Errorf("%w: %q with %d bytes cannot be the digest of a blob", remote.ErrWrong, d.GetHash(), d.GetSizeBytes())
	}
	return nil
}
