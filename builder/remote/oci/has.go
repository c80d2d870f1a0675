package oci

import (
	"context"
	"fmt"

	"github.com/treewright/treewright/builder/remote"
)

// Has implements [remote.Cache].
func (c *cache) Has(ctx context.Context, keys []string) (map[string]bool, error) {
	there := make([]bool, len(keys))
	err := remote.Each(ctx, len(keys), mostAtOnce, func(ctx context.Context, i int) (err error) {
		there[i], err = c.hasTag(ctx, keys[i])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask for results: %w", err)
	}
	has := map[string]bool{}
	for i, key := range keys {
		has[key] = there[i]
	}
	return has, nil
}

func (c *cache) hasTag(ctx context.Context, key string) (bool, error) {
	tag, err := tagOf(key)
	if err != nil {
		return false, err
	}
	return c.has(ctx, manifestAt(tag))
}
