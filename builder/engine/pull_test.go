package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/remote"
)

// distant is a cache in memory, whose answers can be spoiled.
type distant struct {
	mu    sync.Mutex
	packs map[string][]byte
	// got are the keys of the results that were read, asked how many questions there were.
	got        []string
	asked, put int
	// spoil changes the bytes that are read of a result; its error is one of the connection.
	spoil func(key string, packed []byte) ([]byte, error)
	full  bool
}

func (c *distant) Has(_ context.Context, keys []string) (map[string]bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	there := map[string]bool{}
	for _, key := range keys {
		_, there[key] = c.packs[key]
	}
	return there, nil
}

func (c *distant) Get(_ context.Context, key string, read func(io.Reader) error) error {
	c.mu.Lock()
	packed, ok := c.packs[key]
	c.got = append(c.got, key)
	spoil := c.spoil
	c.mu.Unlock()
	if !ok {
		return remote.ErrMissing
	}
	if spoil != nil {
		var err error
		if packed, err = spoil(key, packed); err != nil {
			return err
		}
	}
	return read(bytes.NewReader(packed))
}

func (c *distant) Put(_ context.Context, key string, write func(io.Writer) error) error {
	var packed bytes.Buffer
	if err := write(&packed); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full {
		return errors.New("507 insufficient storage")
	}
	if c.packs == nil {
		c.packs = map[string][]byte{}
	}
	c.packs[key] = packed.Bytes()
	c.put++
	return nil
}

func (c *distant) Close() error { return nil }

// sharing returns an engine with an empty store and the cache, and the list of its warnings.
func sharing(t *testing.T, cache *distant) (*Engine, *counter, *[]string) {
	t.Helper()
	e, c, _ := newEngine(openStore(t))
	c.write = true
	warnings := &[]string{}
	e.Cache = remote.NewShared(cache, "test://cache", true, func(line string) { *warnings = append(*warnings, line) })
	return e, c, warnings
}

// filled is a cache with all results of the diamond.
func filled(t *testing.T) *distant {
	t.Helper()
	cache := &distant{}
	e, _, warnings := sharing(t, cache)
	runTop(t, e, diamond(t, 1, 1))
	if len(cache.packs) != 4 || len(*warnings) > 0 {
		t.Fatalf("%d results were pushed, want the 4 of the diamond; warnings %q", len(cache.packs), *warnings)
	}
	return cache
}

func pullAndRun(t *testing.T, e *Engine, g *plan.Graph) []string {
	t.Helper()
	pulled, err := e.Pull(t.Context(), g, []string{"top"})
	if err != nil {
		t.Fatal(err)
	}
	runTop(t, e, g)
	return pulled
}

// runTop runs the step top and all before it.
func runTop(t *testing.T, e *Engine, g *plan.Graph) {
	t.Helper()
	if _, err := e.Run(t.Context(), g, []string{"top"}); err != nil {
		t.Fatal(err)
	}
}

// TestPull: with an empty store only the target's result is pulled, and no step runs.
func TestPull(t *testing.T) {
	cache := filled(t)
	e, c, warnings := sharing(t, cache)
	cache.asked = 0
	missing, cached, there, err := e.Forecast(t.Context(), diamond(t, 1, 1), []string{"top"})
	if err != nil || len(missing)+len(cached) > 0 || !slices.Equal(there, []string{"top"}) {
		t.Errorf("the forecast is: %v run, %v are here, %v there, error %v", missing, cached, there, err)
	}
	pulled := pullAndRun(t, e, diamond(t, 1, 1))
	if !slices.Equal(pulled, []string{"top"}) || len(cache.got) != 1 || len(c.ran) > 0 || len(*warnings) > 0 {
		t.Errorf("pulled %v of %d asked for, ran %v, warnings %q", pulled, len(cache.got), c.ran, *warnings)
	}
	if r, ok, err := e.Store.Get(diamond(t, 1, 1).Key("top")); !ok || err != nil || r.Step != "top" {
		t.Errorf("in the store is %+v, error %v", r, err)
	}
}

// TestPullNearest: of a plan that has changed, the nearest results are pulled, and the rest runs.
func TestPullNearest(t *testing.T) {
	cache := filled(t)
	e, c, _ := sharing(t, cache)
	pulled := pullAndRun(t, e, diamond(t, 1, 2))
	slices.Sort(c.ran)
	if !slices.Equal(sorted(pulled), []string{"bottom", "right"}) || !slices.Equal(c.ran, []string{"left", "top"}) {
		t.Errorf("pulled %v, ran %v", pulled, c.ran)
	}
	if len(cache.packs) != 6 {
		t.Errorf("the cache has %d results, want 6: the new ones, too", len(cache.packs))
	}
}

// TestPushWhatIsHere: a build in which all is cached pushes the results before the targets, too, and only once.
func TestPushWhatIsHere(t *testing.T) {
	cache := &distant{}
	e, c, _ := sharing(t, cache)
	shared := e.Cache
	e.Cache = nil
	runTop(t, e, diamond(t, 1, 1))
	e.Cache = shared
	for range 2 {
		runTop(t, e, diamond(t, 1, 1))
		if len(c.ran) != 4 || len(cache.packs) != 4 || cache.put != 4 {
			t.Errorf("%d steps ran, %d results were pushed and the cache has %d, want 4 each", len(c.ran), cache.put, len(cache.packs))
		}
	}
}

// TestBadCache: whatever a cache answers, the results are right, and there is one warning at most.
func TestBadCache(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(key string, packed []byte) ([]byte, error)
		warns string
	}{
		"removed meanwhile": {func(string, []byte) ([]byte, error) { return nil, remote.ErrMissing }, ""},
		"gone":              {func(string, []byte) ([]byte, error) { return nil, errors.New("connection refused") }, "connection refused"},
		"other bytes": {func(_ string, packed []byte) ([]byte, error) {
			return bytes.Replace(packed, []byte("top"), []byte("pot"), 1), nil
		}, "has other content"},
		"another result": {func(string, []byte) ([]byte, error) { return []byte(strings.Repeat("x", 4096)), nil }, "header"},
		"nothing":        {func(string, []byte) ([]byte, error) { return nil, nil }, "result.json"},
		"half": {func(_ string, packed []byte) ([]byte, error) {
			return packed[:len(packed)/2], nil
		}, "result.json"},
		"more": {func(_ string, packed []byte) ([]byte, error) {
			return append(slices.Clone(packed), "more"...), nil
		}, "follow"},
	} {
		t.Run(name, func(t *testing.T) {
			cache := filled(t)
			cache.spoil = tc.spoil
			e, c, warnings := sharing(t, cache)
			pulled := pullAndRun(t, e, diamond(t, 1, 1))
			slices.Sort(c.ran)
			if len(pulled) > 0 || !slices.Equal(c.ran, []string{"bottom", "left", "right", "top"}) {
				t.Errorf("pulled %v, ran %v", pulled, c.ran)
			}
			// A result that is made here replaces a wrong one.
			cache.spoil = nil
			healed, _, _ := sharing(t, cache)
			if again := pullAndRun(t, healed, diamond(t, 1, 1)); name != "gone" && len(again) != 1 {
				t.Errorf("the next build pulls %v", again)
			}
			if want := min(len(tc.warns), 1); len(*warnings) != want || want == 1 && !strings.Contains((*warnings)[0], tc.warns) {
				t.Errorf("warnings %q, want %q", *warnings, tc.warns)
			}
		})
	}
}

// TestFullDisk: a full disk is not a fault of the cache, and ends the build.
func TestFullDisk(t *testing.T) {
	e, c, warnings := sharing(t, filled(t))
	full := &fullStore{e.Store}
	e.Store = full
	if _, err := e.Pull(t.Context(), diamond(t, 1, 1), []string{"top"}); !errors.Is(err, unix.ENOSPC) || len(c.ran) > 0 || len(*warnings) > 0 {
		t.Errorf("error %v, ran %v, warnings %q", err, c.ran, *warnings)
	}
}

// fullStore is on a full disk.
type fullStore struct{ Store }

func (s *fullStore) Unpack(io.Reader, string) (layer.Result, error) {
	return layer.Result{}, &fs.PathError{Op: "write", Path: "data/file", Err: unix.ENOSPC}
}

// TestFullCache: a full cache still gives results, and is one warning.
func TestFullCache(t *testing.T) {
	cache := filled(t)
	cache.full = true
	e, c, warnings := sharing(t, cache)
	pulled := pullAndRun(t, e, diamond(t, 1, 2))
	if len(pulled) != 2 || len(c.ran) != 2 || len(*warnings) != 1 || !strings.Contains((*warnings)[0], "507") {
		t.Errorf("pulled %v, ran %v, warnings %q", pulled, c.ran, *warnings)
	}
}

// TestSecretsStay: results made with a secret, or of such ones, are neither pushed nor asked for, nor
// are downloads.
func TestSecretsStay(t *testing.T) {
	cache := &distant{}
	e, c, _ := sharing(t, cache)
	e.Secrets = map[string][]byte{"token": []byte("hush")}
	g := graphOf(t,
		plan.Step{ID: "download", Stage: "packages", Output: plan.Dir},
		plan.Step{ID: "plain", Output: plan.Layer, Inputs: map[string]string{"repo": "download"}},
		plan.Step{ID: "with", Output: plan.Layer, Base: "plain", Secrets: []plan.Secret{{Name: "token", Version: "1"}}},
		plan.Step{ID: "top", Output: plan.Dir, Base: "with"},
	)
	runTop(t, e, g)
	if len(c.ran) != 4 || len(cache.packs) != 1 || cache.packs[g.Key("plain")] == nil {
		t.Errorf("ran %v, pushed %d results, want only that of the step plain", c.ran, len(cache.packs))
	}
}

// TestReproduces: a pulled result is compared with one that is made here, for which steps before it are
// pulled or run; another one counts no more.
func TestReproduces(t *testing.T) {
	for _, foreign := range []bool{false, true} {
		cache := filled(t)
		delete(cache.packs, diamond(t, 1, 1).Key("left"))
		e, c, _ := sharing(t, cache)
		g := diamond(t, 1, 1)
		if pulled := pullAndRun(t, e, g); len(pulled) != 1 {
			t.Fatal(pulled)
		}
		if foreign {
			c.do = func(context.Context, string) error { c.write = false; return nil } // it makes something else
		}
		same, err := e.Reproduces(t.Context(), g, "top")
		if err != nil || same == foreign || !slices.Contains(c.ran, "left") || !slices.Contains(c.ran, "top") || slices.Contains(c.ran, "bottom") {
			t.Errorf("the same: %v, error %v; ran %v", same, err, c.ran)
		}
		if _, ok, err := e.Store.Get(g.Key("top")); err != nil || ok == foreign {
			t.Errorf("it counts: %v, error %v", ok, err)
		}
	}
}

// TestPullStops: a build that is stopped does not pull more results, and does not warn.
func TestPullStops(t *testing.T) {
	cache := filled(t)
	ctx, cancel := context.WithCancel(t.Context())
	cache.spoil = func(string, []byte) ([]byte, error) { cancel(); return nil, ctx.Err() }
	e, _, warnings := sharing(t, cache)
	if _, err := e.Pull(ctx, diamond(t, 1, 1), []string{"top"}); !errors.Is(err, context.Canceled) || len(*warnings) > 0 {
		t.Errorf("error %v, warnings %q", err, *warnings)
	}
	if got := e.Sink.(*recorder).of(event.StepPulled); len(got) > 0 {
		t.Errorf("pulled %v", got)
	}
}
