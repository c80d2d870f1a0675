package config

import (
	"iter"
	"runtime"
)

// InOrder does something with each item, on all cores, and gives items and results in the order of
// the items. Only a few are done before they are asked for: what comes first can end it all,
// because a tree is beyond a bound, and then the rest should not have been done.
func InOrder[T, R any](items []T, do func(T) R) iter.Seq2[T, R] {
	return func(yield func(T, R) bool) {
		coming := make(chan chan R, 2*runtime.GOMAXPROCS(0))
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			defer close(coming)
			for _, item := range items {
				one := make(chan R, 1)
				select {
				case coming <- one:
				case <-stop:
					return
				}
				go func() { one <- do(item) }()
			}
		}()
		for _, item := range items {
			if one, more := <-coming; !more || !yield(item, <-one) {
				return
			}
		}
	}
}
