package oci

import (
	"context"
	"fmt"
	"sync"
)

// Has implements [remote.Cache].
func (c *cache) Has(ctx context.Context, keys []string) (map[string]bool, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu    sync.Mutex
		has   = map[string]bool{}
		first error
		all   sync.WaitGroup
		free  = make(chan struct{}, mostAtOnce)
	)
	for _, key := range keys {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			there, err := c.hasTag(ctx, key)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				has[key] = there
			} else if first == nil {
				first = fmt.Errorf("ask for results: %w", err)
				cancel(first)
			}
		})
	}
	all.Wait()
	return has, first
}

func (c *cache) hasTag(ctx context.Context, key string) (bool, error) {
	tag, err := tagOf(key)
	if err != nil {
		return false, err
	}
	return c.has(ctx, manifestAt(tag))
}
