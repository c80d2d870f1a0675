package verify

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/sandbox"
)

// mostOrigins is how many steps are carried out again to find the cause.
const mostOrigins = 3

// explain finds the steps that differences begin with. What a later step removes or writes
// over, such as keys that a package's script makes, does not count. Steps above one of them
// are not examined: what they were given differs.
func (c *comparison) explain(ctx context.Context, first *publish.Manifest, found *reply, differs bool) error {
	keys := first.Keys()
	lists := map[string][]layer.Difference{}
	for _, s := range c.made.Graph.Steps() {
		key := c.made.Graph.Key(s.ID)
		if keys[s.ID] != key {
			found.Replanned = append(found.Replanned, s.ID)
			continue
		}
		list, err := c.differences(key)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			found.Layers++
			lists[s.ID] = list
		}
	}
	other := map[string]bool{}
	for _, s := range c.made.Graph.Steps() {
		list := slices.DeleteFunc(slices.Clone(lists[s.ID]), func(d layer.Difference) bool { return s.Output == plan.Layer && c.replaced(s.ID, d.Path, lists) })
		if len(list) == 0 {
			continue
		}
		other[s.ID] = true
		if differs && !c.follows(s.ID, other) {
			o, err := c.origin(ctx, s, c.made.Graph.Key(s.ID), list, len(found.Origins) < mostOrigins)
			if err != nil {
				return err
			}
			found.Origins = append(found.Origins, o)
		}
	}
	return nil
}

// replaced reports whether a later step on the tree of another one removes a path, or writes
// it in such a way that it is the same in both builds.
func (c *comparison) replaced(id, file string, lists map[string][]layer.Difference) bool {
	for _, later := range c.made.Graph.Steps() {
		if later.Output != plan.Layer || !c.follows(later.ID, map[string]bool{id: true}) {
			continue
		}
		if slices.ContainsFunc(lists[later.ID], func(d layer.Difference) bool { return d.Path == file }) {
			continue
		}
		if layer.TouchOf(c.made.Cache.Store.Data(c.made.Graph.Key(later.ID)), file).What != "" {
			return true
		}
	}
	return false
}

// differences are those of a result, without times, which no artifact has.
func (c *comparison) differences(key string) ([]layer.Difference, error) {
	list, err := c.before.Differences(c.made.Cache.Store, key)
	return slices.DeleteFunc(list, func(d layer.Difference) bool { return len(d.What) == 1 && d.What[0] == "time" }), err
}

// follows reports whether anything that a step is given differs.
func (c *comparison) follows(id string, other map[string]bool) bool {
	seen := map[string]bool{}
	var visit func(id string) bool
	visit = func(id string) bool {
		if seen[id] {
			return false
		}
		seen[id] = true
		return slices.ContainsFunc(slices.Concat(c.made.Graph.Requires(id), c.made.Graph.Needs(id)), func(in string) bool { return other[in] || visit(in) })
	}
	return visit(id)
}

func (c *comparison) origin(ctx context.Context, s *plan.Step, key string, list []layer.Difference, repeat bool) (Origin, error) {
	o := Origin{Step: s.ID, Title: s.Title, Cause: NotRepeated}
	o.Feature, o.From = build.FeatureOf(c.made.Subject, s.ID)
	for i, d := range list[:min(len(list), mostFiles)] {
		f := FileOfStep{Difference: d}
		if slices.Contains(d.What, "content") {
			was, is := filepath.Join(c.before.Data(key), d.Path), filepath.Join(c.made.Cache.Store.Data(key), d.Path)
			var err error
			if f.Bytes, err = compareContent(was, is); err != nil {
				return o, err
			}
			if i == 0 {
				f.Diffoscope = diffoscope(ctx, was, is)
			}
		}
		o.Files = append(o.Files, f)
	}
	o.More = len(list) - len(o.Files)
	var err error
	if o.First, err = c.before.Index(key); err != nil {
		return o, err
	}
	if o.Second, err = c.made.Cache.Store.Index(key); err != nil || !repeat {
		return o, err
	}
	o.Again, err = c.builder.Repeat(ctx, c.made.Prepared, s.ID, event.Discard)
	return o, err
}

// shownDiffoscope bounds the text of diffoscope, and its time.
const (
	shownDiffoscope = 4000
	patience        = 30 * time.Second
)

// diffoscope is what the program of that name shows; "" where it is not installed.
func diffoscope(ctx context.Context, first, second string) string {
	if !sandbox.Installed("diffoscope") {
		return ""
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	out, _ := sandbox.Command{
		Argv: []string{"diffoscope", "--no-progress", "--text-color", "never", "--max-text-report-size", "4000", first, second}, Env: sandbox.HostEnv(), Family: true,
	}.Output(ctx) // its status is 1 for files that differ
	return strings.ToValidUTF8(string(out[:min(len(out), shownDiffoscope)]), "")
}

// attribute finds the cause of each origin: its step is carried out alone, with the first
// build's cache.
func (w *workplace) attribute(ctx context.Context, r *Result, q *request, e sandbox.Elsewhere) error {
	for i := range r.Origins {
		o := &r.Origins[i]
		if o.Again == "" {
			continue
		}
		if o.Again != o.Second {
			o.Cause = EachRun
			continue
		}
		var err error
		if o.Cause, err = w.cause(ctx, o, *q, e); err != nil {
			return err
		}
	}
	return nil
}

func (w *workplace) cause(ctx context.Context, o *Origin, q request, e sandbox.Elsewhere) (Cause, error) {
	q.Repeat = o.Step
	other, clock := q.Host, q.Clock
	host, err := os.Hostname()
	if err != nil {
		return "", err
	}
	plain := sandbox.Elsewhere{Dir: w.path("home"), Umask: 0o022, Env: sandbox.HostEnv()}
	with := e
	with.CPUs = 0
	fewer := plain
	fewer.CPUs = e.CPUs
	for _, t := range []struct {
		e           sandbox.Elsewhere
		host, clock string
		cause       Cause
	}{{plain, host, "", EachRun}, {plain, host, clock, Time}, {fewer, host, "", Processors}, {with, other, "", Elsewhere}} {
		if t.cause == Processors && e.CPUs == 0 || t.cause == Time && clock == "" {
			continue
		}
		q.Host, q.Clock = t.host, t.clock
		var found reply
		if err := w.elsewhere(ctx, t.e, &q, &found); err != nil {
			return "", err
		}
		if found.Index != o.First {
			return t.cause, nil
		}
	}
	if q.Memory > 0 {
		return FileSystem, nil
	}
	return Together, nil
}
