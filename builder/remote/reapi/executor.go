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
	// sending has an entry for each upload. Its capacity limits the memory for the uploads of all Actions.
	sending chan struct{}
}

var _ remote.Executor = (*executor)(nil)

// OpenExecution returns the executor of a server. It connects only when the executor is used.
func OpenExecution(access remote.Access) (remote.Executor, error) {
	return openExecution(access, steady)
}

func openExecution(access remote.Access, l limits) (*executor, error) {
	// If nothing arrives for twice the time of beat, gRPC sends a ping of HTTP/2. A server that works answers the calls of
	// beat, so it does not get pings. Pings alone are not enough: many servers end a connection (ENHANCE_YOUR_CALM) if they get more
	// than one ping in 5 minutes.
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

// able returns the abilities of the server. It asks the server once. After a passing error, each call of able asks again.
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

// empty is the digest of the empty blob.
var empty = digestFrom(blobOf(nil).digest)

func digestFrom(d *repb.Digest) remote.Digest {
	return remote.Digest{Hash: d.GetHash(), Size: d.GetSizeBytes()}
}

// plausible returns an error if a digest from the server is malformed, or if its size is impossible.
func plausible(d *repb.Digest) error {
	if !sha256Digits.MatchString(d.GetHash()) || d.GetSizeBytes() < 0 || d.GetSizeBytes() > mostBytes {
		return fmt.Errorf("%w: %q with %d bytes cannot be the digest of a blob", remote.ErrWrong, d.GetHash(), d.GetSizeBytes())
	}
	return nil
}
