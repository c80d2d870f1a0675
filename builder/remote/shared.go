package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Shared is the cache of a build. A failure of the cache is a warning, not an error. After a failure, the build does not use the
// cache any more. If the cache only refuses results, the build still reads it.
type Shared struct {
	cache Cache
	url   string
	warn  func(line string)

	mu             sync.Mutex
	noGet, noPut   bool
	pushes, closed bool
}

// NewShared returns a cache, and warnings use url as its name. Results are put into the cache only if pushes is set.
func NewShared(cache Cache, url string, pushes bool, warn func(line string)) *Shared {
	return &Shared{cache: cache, url: url, warn: warn, pushes: pushes}
}

// URL returns the cache's name in messages.
func (s *Shared) URL() string { return s.url }

// Pushes reports whether results are put into the cache.
func (s *Shared) Pushes() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pushes && !s.noPut
}

// Has returns the keys for which the cache has results. The map is empty if the cache fails.
func (s *Shared) Has(ctx context.Context, keys []string) map[string]bool {
	if s.gives() && len(keys) > 0 {
		there, err := s.cache.Has(ctx, keys)
		if err == nil {
			return there
		}
		s.fail(ctx, err, true)
	}
	return nil
}

// Lacks returns the keys for which the cache does not have a result, but accepts a result.
func (s *Shared) Lacks(ctx context.Context, keys []string) (lacking []string) {
	if !s.Pushes() {
		return nil
	}
	there, err := s.cache.Has(ctx, keys)
	if err != nil {
		s.fail(ctx, err, false)
		return nil
	}
	for _, key := range keys {
		if !there[key] {
			lacking = append(lacking, key)
		}
	}
	return lacking
}

// Get calls read with a packed result, and reports whether all of it was read and is right. An
// error of read itself is returned.
func (s *Shared) Get(ctx context.Context, key string, read func(packed io.Reader) error) (bool, error) {
	if !s.gives() {
		return false, nil
	}
	var own error
	err := s.cache.Get(ctx, key, func(packed io.Reader) error {
		noted := &noting{Reader: packed}
		err := read(noted)
		if err != nil && noted.err == nil && !errors.Is(err, ErrUnfit) {
			own = err
		}
		return err
	})
	switch {
	case err == nil:
		return true, nil
	case own != nil:
		return false, own
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case !errors.Is(err, ErrMissing): // it was removed meanwhile
		s.fail(ctx, err, true)
	}
	return false, nil
}

// noting notes why a reader failed.
type noting struct {
	io.Reader
	err error
}

func (n *noting) Read(p []byte) (int, error) {
	count, err := n.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return count, err
}

// Put puts a packed result into the cache. An error of write itself is returned.
func (s *Shared) Put(ctx context.Context, key string, write func(packed io.Writer) error) error {
	if !s.Pushes() {
		return nil
	}
	var own error
	err := s.cache.Put(ctx, key, func(packed io.Writer) error {
		failing := &failing{Writer: packed}
		err := write(failing)
		if err != nil && failing.err == nil {
			own = err
		}
		return err
	})
	if err != nil && own == nil {
		s.fail(ctx, err, false)
	}
	return own
}

// failing notes why a writer failed.
type failing struct {
	io.Writer
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	count, err := f.Writer.Write(p)
	if err != nil {
		f.err = err
	}
	return count, err
}

// Close ends the connection, once.
func (s *Shared) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	return s.cache.Close()
}

func (s *Shared) gives() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.noGet
}

// fail warns, and stops pushing. If the cache failed to give a result, it also stops pulling. After a wrong result, the
// build still pushes its results, because one of them replaces the wrong result. If the build was stopped, fail returns at once,
// because other builds of this program still use the cache.
func (s *Shared) fail(ctx context.Context, err error, giving bool) {
	if ctx.Err() != nil {
		return
	}
	wrong := giving && (errors.Is(err, ErrUnfit) || errors.Is(err, ErrWrong))
	s.mu.Lock()
	first := !s.noPut && !wrong || giving && !s.noGet
	s.noPut, s.noGet = s.noPut || !wrong, s.noGet || giving
	s.mu.Unlock()
	if !first {
		return
	}
	then := "results are not pushed any more in this build"
	switch {
	case wrong:
		then = "no more results are taken from it in this build"
	case giving:
		then = "this build continues without it"
	}
	s.warn(fmt.Sprintf("the remote cache %s: %s; %s", s.url, strings.TrimPrefix(err.Error(), s.url+": "), then))
}
