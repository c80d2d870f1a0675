package reapi

import (
	"context"
	"errors"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/treewright/treewright/builder/remote"
)

// Has implements [remote.Cache]. A result whose blob the server has removed does not count.
func (c *client) Has(ctx context.Context, keys []string) (map[string]bool, error) {
	if _, err := c.abilities(ctx); err != nil {
		return nil, err
	}
	packed, err := c.lookUpAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	var digests []*repb.Digest
	for _, d := range packed {
		if d != nil {
			digests = append(digests, d)
		}
	}
	missing, err := c.missing(ctx, digests)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for i, key := range keys {
		if packed[i] != nil && !missing[packed[i].Hash] {
			found[key] = true
		}
	}
	return found, nil
}

// lookUpAll returns the digests of the packed results of keys, nil for those that the server does not have.
func (c *client) lookUpAll(ctx context.Context, keys []string) ([]*repb.Digest, error) {
	packed := make([]*repb.Digest, len(keys))
	return packed, remote.Each(ctx, len(keys), c.limits.lookups, func(ctx context.Context, i int) (err error) {
		packed[i], err = c.lookUp(ctx, keys[i])
		return err
	})
}

// lookUp returns the digest of a key's packed result, nil if the server does not have an ActionResult of it, or one
// that is not of a result.
func (c *client) lookUp(ctx context.Context, key string) (*repb.Digest, error) {
	d, err := c.promised(ctx, key)
	if errors.Is(err, remote.ErrWrong) {
		return nil, nil
	}
	return d, err
}

// promised returns the digest of a key's packed result, nil if the server does not have an ActionResult of it.
func (c *client) promised(ctx context.Context, key string) (*repb.Digest, error) {
	const what = "ask for a result"
	action, _ := actionOf(key)
	var answer *repb.ActionResult
	err := c.call(ctx, what, func(ctx context.Context) (err error) {
		answer, err = c.actions.GetActionResult(ctx, &repb.GetActionResultRequest{
			InstanceName: c.at.instance, ActionDigest: action.digest, DigestFunction: repb.DigestFunction_SHA256,
		})
		return err
	})
	if has(err, codes.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := packedOf(answer)
	return d, c.fault(ctx, what, err)
}

// missing returns the hashes of blobs that the server does not have.
func (c *client) missing(ctx context.Context, digests []*repb.Digest) (map[string]bool, error) {
	missing := map[string]bool{}
	for some := range slices.Chunk(digests, c.limits.digests) {
		err := c.call(ctx, "ask which blobs are missing", func(ctx context.Context) error {
			answer, err := c.blobs.FindMissingBlobs(ctx, &repb.FindMissingBlobsRequest{
				InstanceName: c.at.instance, BlobDigests: some, DigestFunction: repb.DigestFunction_SHA256,
			})
			for _, d := range answer.GetMissingBlobDigests() {
				missing[d.GetHash()] = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return missing, nil
}
