package reapi

import (
	"context"
	"errors"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
)

// overhead is left in a batch for what is not the content of the largest blob.
const overhead = 4 << 10

// abilities asks the server what it can do, once. A server that does not answer is not asked again: each build
// would wait for it once more with each result.
func (c *client) abilities(ctx context.Context) (abilities, error) {
	c.ask.Do(func() {
		// The answer is for all callers, so it does not end with the one that came first.
		go func() {
			defer close(c.asked)
			c.can, c.cannot = c.askAbilities(c.lifetime)
		}()
	})
	select {
	case <-c.asked:
		return c.can, c.cannot
	case <-ctx.Done():
		return abilities{}, context.Cause(ctx)
	}
}

func (c *client) askAbilities(ctx context.Context) (can abilities, err error) {
	const what = "ask what the server can do"
	var answer *repb.ServerCapabilities
	err = c.call(ctx, what, func(ctx context.Context) (err error) {
		answer, err = repb.NewCapabilitiesClient(c.conn).GetCapabilities(ctx, &repb.GetCapabilitiesRequest{InstanceName: c.at.instance})
		return err
	})
	if err != nil {
		return can, err
	}
	cache := answer.GetCacheCapabilities()
	if cache == nil {
		return can, c.fault(ctx, what, errors.New("it has no cache"))
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
	if most := cache.GetMaxBatchTotalSizeBytes(); most > 0 {
		can.small = min(can.small, most-overhead)
	}
	return can, nil
}
