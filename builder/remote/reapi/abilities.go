package reapi

import (
	"context"
	"errors"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
)

// overhead is the space that a batch keeps free beside the content of the largest blob.
const overhead = 4 << 10

// abilities asks the server for its abilities, once. A server that does not answer is not asked again, because each build
// would wait for it once more with each result.
func (c *client) abilities(ctx context.Context) (abilities, error) {
	c.ask.Do(func() {
		// The answer is for all callers, so the request does not end with the first caller.
		go func() {
			defer close(c.asked)
			c.can, c.cannot = c.askAbilities(c.lifetime, c.conn)
		}()
	})
	select {
	case <-c.asked:
		return c.can, c.cannot
	case <-ctx.Done():
		return abilities{}, context.Cause(ctx)
	}
}

func (c *client) askAbilities(ctx context.Context, conn *grpc.ClientConn) (can abilities, err error) {
	const what = "ask for the server's abilities"
	var answer *repb.ServerCapabilities
	err = c.call(ctx, what, func(ctx context.Context) (err error) {
		answer, err = repb.NewCapabilitiesClient(conn).GetCapabilities(ctx, &repb.GetCapabilitiesRequest{InstanceName: c.at.instance})
		return err
	})
	if err != nil {
		return can, err
	}
	cache := answer.GetCacheCapabilities()
	if cache == nil {
		return can, c.fault(ctx, what, errors.New("it does not have a cache"))
	}
	if !slices.Contains(cache.GetDigestFunctions(), repb.DigestFunction_SHA256) {
		return can, c.fault(ctx, what, errors.New("it does not name blobs by SHA-256"))
	}
	can = abilities{
		zstd:    slices.Contains(cache.GetSupportedCompressors(), repb.Compressor_ZSTD),
		small:   c.limits.small,
		largest: cache.GetMaxCasBlobSizeBytes(),
		put:     cache.GetActionCacheUpdateCapabilities() == nil || cache.GetActionCacheUpdateCapabilities().GetUpdateEnabled(),
	}
	can.idle = idle(answer.GetExecutionCapabilities())
	if most := cache.GetMaxBatchTotalSizeBytes(); most > 0 {
		can.small = min(can.small, most-overhead)
	}
	return can, nil
}

// idle returns the reason why a server does not execute Actions, or nil if it executes Actions.
func idle(can *repb.ExecutionCapabilities) error {
	switch {
	case !can.GetExecEnabled():
		return errors.New("the server does not execute Actions, or does not accept these credentials for them")
	case slices.Contains(can.GetDigestFunctions(), repb.DigestFunction_SHA256):
	case len(can.GetDigestFunctions()) > 0, can.GetDigestFunction() != repb.DigestFunction_SHA256 && can.GetDigestFunction() != repb.DigestFunction_UNKNOWN:
		return errors.New("the server does not execute Actions with SHA-256 digests")
	}
	return nil
}
