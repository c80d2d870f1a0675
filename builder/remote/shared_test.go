package remote

import (
	"context"
	"io"
	"testing"
)

// stopped is a cache whose answers are errors once the build that asks is stopped.
type stopped struct{ asked int }

func (s *stopped) Has(ctx context.Context, keys []string) (map[string]bool, error) {
	s.asked++
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return map[string]bool{keys[0]: true}, nil
}

func (s *stopped) Get(ctx context.Context, _ string, _ func(io.Reader) error) error {
	return context.Cause(ctx)
}

func (s *stopped) Put(ctx context.Context, _ string, _ func(io.Writer) error) error {
	return context.Cause(ctx)
}

func (s *stopped) Close() error { return nil }

// TestStopped: after a build was stopped, other builds of the same program can still use the cache.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	keys := []string{"key"}
	for name, ask := range map[string]func(s *Shared){
		"Has":   func(s *Shared) { s.Has(ctx, keys) },
		"Lacks": func(s *Shared) { s.Lacks(ctx, keys) },
		"Get":   func(s *Shared) { _, _ = s.Get(ctx, "key", func(io.Reader) error { return nil }) },
		"Put":   func(s *Shared) { _ = s.Put(ctx, "key", func(io.Writer) error { return nil }) },
	} {
		var warnings []string
		s := NewShared(&stopped{}, "test://cache", true, func(line string) { warnings = append(warnings, line) })
		ask(s)
		if there := s.Has(t.Context(), keys); !there["key"] || !s.Pushes() || len(warnings) > 0 {
			t.Errorf("after %s of a stopped build: gives %v, pushes %v, warnings %q", name, there, s.Pushes(), warnings)
		}
	}
}
