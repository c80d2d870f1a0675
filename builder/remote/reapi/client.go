package reapi

import (
	"context"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/remote"
)

// largestMessage is the largest message that a server can send. gRPC's own limit is 4 MiB, and some servers send that much data alone.
const largestMessage = 8 << 20

// client is a connection to one server. It implements [remote.Cache].
type client struct {
	purpose
	at     address
	limits limits
	helper *helper                          // nil without a helper
	dial   func() (*grpc.ClientConn, error) // opens another connection
	conn   *grpc.ClientConn

	actions repb.ActionCacheClient
	blobs   repb.ContentAddressableStorageClient
	streams bytestream.ByteStreamClient

	ask      sync.Once
	asked    chan struct{} // closed when the server has been asked for its abilities
	can      abilities
	cannot   error
	lifetime context.Context
	end      context.CancelFunc
}

var _ remote.Cache = (*client)(nil)

// Open returns the cache of a server. It connects only when the cache is used.
func Open(access remote.Access) (remote.Cache, error) { return open(access, usual) }

func open(access remote.Access, l limits) (*client, error) { return caching.connect(access, l) }

func (p purpose) connect(access remote.Access, l limits, options ...grpc.DialOption) (*client, error) {
	at, err := p.parse(access.URL)
	if err != nil {
		return nil, err
	}
	transport, err := p.transport(at, access)
	if err != nil {
		return nil, err
	}
	c := &client{purpose: p, at: at, limits: l, asked: make(chan struct{})}
	if access.Helper != "" {
		if !at.tls && !at.loopback() {
			return nil, diag.Requestf("%s %s: credentials are sent by TLS only, and this URL does not use it; want grpcs://", p.server, at)
		}
		c.helper = newHelper(access.Helper, at, l.call)
	}
	options = append(options,
		grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: l.connect}),
		// Retries would hide that a server is slow. Entries in the DNS must not change how calls are made.
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestMessage)))
	c.dial = func() (*grpc.ClientConn, error) { return grpc.NewClient(at.target(), options...) }
	c.conn, err = c.dial()
	if err != nil {
		return nil, diag.Requestf("%s %s: %v", p.server, at, err)
	}
	c.actions, c.blobs, c.streams = repb.NewActionCacheClient(c.conn), repb.NewContentAddressableStorageClient(c.conn), bytestream.NewByteStreamClient(c.conn)
	c.lifetime, c.end = context.WithCancel(context.Background())
	return c, nil
}

// Close implements [remote.Cache].
func (c *client) Close() error {
	c.end()
	return c.conn.Close()
}
