package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/remote"
)

// described is an Executor whose records have more than the data.
type described struct {
	*counter
	result func(id string, r *layer.Result)
}

func (d *described) Execute(ctx context.Context, r *Request) (layer.Result, error) {
	made, err := d.counter.Execute(ctx, r)
	if err == nil {
		d.result(r.Step.ID, &made)
	}
	return made, err
}

// TestReproducesRecord: records are compared, too, because they are published and signed.
func TestReproducesRecord(t *testing.T) {
	// Of a directory, the size is that on the disk: it differs between machines.
	here := []layer.File{{Name: "all", Path: ".", Size: 4096}, {Name: "image", Path: "file", Size: 3, SHA256: "28720365c5e7476a011e4f43ac003ee5f16247a263b9d623aa85ed311d73bf39"}}
	for name, foreign := range map[string]func(r *layer.Result){
		"fact":      func(r *layer.Result) { r.Facts = map[string]string{"verity_root_hash": "another"} },
		"epoch":     func(r *layer.Result) { r.Epoch = 1 },
		"artifacts": func(r *layer.Result) { r.Files[1].Size = 4 },
		"":          func(r *layer.Result) { r.Files[0].Size = 8192 },
	} {
		cache, g := &distant{}, diamond(t, 1, 1)
		there, c, _ := sharing(t, cache)
		there.Executor = &described{c, func(id string, r *layer.Result) {
			if id == "top" {
				r.Files = slices.Clone(here)
				foreign(r)
			}
		}}
		runTop(t, there, g)
		e, c, warnings := sharing(t, cache)
		e.Executor = &described{c, func(id string, r *layer.Result) {
			if id == "top" {
				r.Files = slices.Clone(here)
			}
		}}
		if pulled := pullAndRun(t, e, g); len(pulled) != 1 {
			t.Fatalf("with another %s: pulled %v, warnings %q", name, pulled, *warnings)
		}
		same, err := e.Reproduces(t.Context(), g, "top")
		if err != nil || same != (name == "") {
			t.Errorf("with another %s: the same: %v, error %v", name, same, err)
		}
	}
}

// TestReproducesDistrusts: if one pulled result is wrong, others that were not compared do not count either, nor results made
// of them: a build without the cache must not use them.
func TestReproducesDistrusts(t *testing.T) {
	for _, tc := range []struct {
		pull, compare []string
		lacks         string // in the remote cache
		good          []string
	}{
		{[]string{"bottom", "left", "right"}, []string{"bottom", "right"}, "", []string{"bottom"}},
		{[]string{"bottom", "left", "right"}, []string{"right"}, "", nil},
		{[]string{"top"}, []string{"top"}, "left", nil}, // left is made of bottom
	} {
		cache, g := filled(t), diamond(t, 1, 1)
		if tc.lacks != "" {
			delete(cache.packs, g.Key(tc.lacks))
		}
		e, c, _ := sharing(t, cache)
		if pulled, err := e.Pull(t.Context(), g, tc.pull); len(pulled) != len(tc.pull) || err != nil {
			t.Fatal(pulled, err)
		}
		last := tc.compare[len(tc.compare)-1]
		c.do = func(_ context.Context, id string) error { c.write = id != last; return nil } // it makes something else
		for _, id := range tc.compare {
			if same, err := e.Reproduces(t.Context(), g, id); same == (id == last) || err != nil {
				t.Fatal(id, same, err)
			}
		}
		for _, id := range []string{"bottom", "left", "right", "top"} {
			if _, ok, err := e.Store.Get(g.Key(id)); ok != slices.Contains(tc.good, id) || err != nil {
				t.Errorf("after %v: the result of %s counts: %v, error %v", tc.compare, id, ok, err)
			}
		}
	}
}

// TestReproducesWarnsOnce: a comparison does not repeat warnings.
func TestReproducesWarnsOnce(t *testing.T) {
	cache, g := &distant{}, diamond(t, 1, 1)
	there, c, _ := sharing(t, cache)
	c.warn = map[string]string{"bottom": "one", "top": "two"}
	runTop(t, there, g)
	e, c, _ := sharing(t, cache)
	c.warn = map[string]string{"bottom": "one", "top": "two"}
	if _, err := e.Pull(t.Context(), g, []string{"top"}); err != nil {
		t.Fatal(err)
	}
	if same, err := e.Reproduces(t.Context(), g, "top"); !same || err != nil {
		t.Fatal(same, err)
	}
	runTop(t, e, g)
	if got, want := warned(e.Sink.(*recorder)), []string{"bottom: one", "top: two"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// fullOnce counts the results that it does not take.
type fullOnce struct {
	Store
	tried atomic.Int32
}

func (s *fullOnce) Unpack(r io.Reader, _ string) (layer.Result, error) {
	s.tried.Add(1)
	_, _ = io.Copy(io.Discard, r)
	return layer.Result{}, unix.ENOSPC
}

// TestFullDiskOnce: after a result that does not fit no other one is pulled, and the error is shown once.
func TestFullDiskOnce(t *testing.T) {
	var steps []plan.Step
	var targets []string
	for _, id := range strings.Split("abcdefghijklmnop", "") {
		steps, targets = append(steps, plan.Step{ID: id, Action: id, Output: plan.Dir}), append(targets, id)
	}
	g, cache := graphOf(t, steps...), &distant{}
	there, _, _ := sharing(t, cache)
	if _, err := there.Run(t.Context(), g, targets); err != nil {
		t.Fatal(err)
	}
	e, _, _ := sharing(t, cache)
	full := &fullOnce{Store: e.Store}
	e.Store = full
	_, err := e.Pull(t.Context(), g, targets)
	if !errors.Is(err, unix.ENOSPC) || strings.Contains(err.Error(), "\n") || full.tried.Load() > 2*pullers {
		t.Errorf("%d were pulled; error %v", full.tried.Load(), err)
	}
}

// stopping is a cache that is used when the build is stopped.
type stopping struct {
	*distant
	stop func()
}

func (s *stopping) Put(ctx context.Context, _ string, _ func(io.Writer) error) error {
	s.stop()
	return context.Cause(ctx)
}

// TestPushStops: a build that is stopped while it pushes ends as stopped, even if all steps have run.
func TestPushStops(t *testing.T) {
	for _, here := range []bool{false, true} {
		e, _, _ := sharing(t, &distant{})
		g := graphOf(t, plan.Step{ID: "top", Output: plan.Dir})
		if here {
			runTop(t, e, g)
		}
		ctx, cancel := context.WithCancel(t.Context())
		e.Cache = remote.NewShared(&stopping{&distant{}, cancel}, "test://cache", true, func(line string) { t.Error(line) })
		if _, err := e.Run(ctx, g, []string{"top"}); !errors.Is(err, context.Canceled) {
			t.Errorf("with the result here: %v: error %v", here, err)
		}
	}
}
