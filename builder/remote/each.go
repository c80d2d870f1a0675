package remote

import (
	"context"
	"sync"
)

// Each calls do with the numbers from 0 to n-1, and makes at most most calls at the same time. It returns the first
// error, which ends the context of the other calls and prevents further calls.
func Each(ctx context.Context, n, most int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		group sync.WaitGroup
		next  = make(chan int)
		once  sync.Once
		first error
	)
	for range min(most, n) {
		group.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					once.Do(func() { first = err; cancel(err) })
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	group.Wait()
	if first == nil && ctx.Err() != nil {
		first = context.Cause(ctx)
	}
	return first
}
