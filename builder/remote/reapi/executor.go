package reapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/treewright/treewright/builder/remote"
)

// executor is a connection to a server that executes Actions. It implements [remote.Executor].
type executor struct {
	*client
	execution  repb.ExecutionClient
	operations longrunningpb.OperationsClient
	// waiting is the number of streams on which the server is silent while an Action waits or runs.
	waiting atomic.Int64
}

var _ remote.Executor = (*executor)(nil)

// OpenExecution returns the executor of a server. It connects only when the executor is used.
func OpenExecution(access remote.Access) (remote.Executor, error) {
	return openExecution(access, steady)
}

func openExecution(access remote.Access, l limits) (*executor, error) {
	// A connection on which nothing has arrived for the time of two calls of beat is checked by a ping of HTTP/2. So a
	// server that is there does not get pings: many servers end a connection on which they come more often
	// than once in 5 minutes.
	alive := keepalive.ClientParameters{Time: 2 * l.beat, Timeout: l.beat}
	c, err := executing.connect(access, l, grpc.WithKeepaliveParams(alive))
	if err != nil {
		return nil, err
	}
	e := &executor{client: c, execution: repb.NewExecutionClient(c.conn), operations: longrunningpb.NewOperationsClient(c.conn)}
	go e.beat()
	return e, nil
}

// beat makes a small call from time to time while Actions wait or run. The answer does not matter, see openExecution.
func (e *executor) beat() {
	for every := time.NewTicker(e.limits.beat); ; {
		select {
		case <-e.lifetime.Done():
			every.Stop()
			return
		case <-every.C:
			if e.waiting.Load() > 0 {
				_, _ = e.askAbilities(e.lifetime)
			}
		}
	}
}

// Fetch implements [remote.Executor].
func (e *executor) Fetch(ctx context.Context, d remote.Digest, read func(content io.Reader) error) error {
	can, err := e.abilities(ctx)
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
	return e.download(ctx, blob, can.zstd, read)
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
