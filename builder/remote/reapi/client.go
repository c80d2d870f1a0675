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

// largestMessage is what a server may send at once. gRPC's own limit of 4 MiB is what some servers send as data alone.
const largestMessage = 8 << 20

// client is a connection to one server. It implements [remote.Cache].
type client struct {
	at     address
	limits limits
	helper *helper // nil without one
	conn   *grpc.ClientConn

	actions repb.ActionCacheClient
	blobs   repb.ContentAddressableStorageClient
	streams bytestream.ByteStreamClient

	ask      sync.Once
	asked    chan struct{} // closed when the server has been asked for what it can do
	can      abilities
	cannot   error
	lifetime context.Context
	end      context.CancelFunc
}

var _ remote.Cache = (*client)(nil)

// Open returns the cache of a server. No connection is made before it is used.
func Open(access remote.Access) (remote.Cache, error) { return open(access, usual) }

func open(access remote.Access, l limits) (*client, error) {
	at, err := parse(access.URL)
	if err != nil {
		return nil, err
	}
	transport, err := at.transport(access)
	if err != nil {
		return nil, err
	}
	c := &client{at: at, limits: l, asked: make(chan struct{})}
	if access.Helper != "" {
		if !at.tls && !at.loopback() {
			return nil, diag.Requestf("the remote cache %s: credentials are sent by TLS only, and this URL does not use it; want grpcs://", at)
		}
		c.helper = newHelper(access.Helper, at, l.call)
	}
	c.conn, err = grpc.NewClient(at.target(),
		grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: l.connect}),
		// A slow server is to be seen as one, and names in the DNS have no say in how calls are made.
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestMessage)))
	if err != nil {
		return nil, diag.Requestf("the remote cache %s: %v", at, err)
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
