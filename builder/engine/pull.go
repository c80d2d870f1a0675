package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/remote"
)

// pullers is how many results are pulled at the same time. Most of the time goes into unpacking.
const pullers = 4

// Forecast returns what Pull and Run would do for the targets, each list in the graph's order: steps that must
// run, those whose results are in the store, and those whose results are in the remote cache.
func (e *Engine) Forecast(ctx context.Context, g *plan.Graph, targets []string) (missing, cached, remote []string, err error) {
	there := map[string]bool{}
	if e.Cache != nil {
		if remote, err = e.pullable(ctx, g, targets, map[string]bool{}); err != nil {
			return nil, nil, nil, err
		}
		for _, id := range remote {
			there[id] = true
		}
	}
	missing, cached, err = e.missing(g, targets, there)
	return missing, cached, remote, err
}

// Pull brings results into the store that the remote cache has: those of the targets, or of the steps
// before them that are nearest to them. Run makes the others. Pull returns the steps whose results were pulled.
func (e *Engine) Pull(ctx context.Context, g *plan.Graph, targets []string) (pulled []string, err error) {
	asked := map[string]bool{}
	for e.Cache != nil {
		wanted, err := e.pullable(ctx, g, targets, asked)
		if err != nil || len(wanted) == 0 {
			return pulled, err
		}
		// After one that could not be pulled, the steps before it are looked for.
		got, err := e.pullAll(ctx, g, wanted, asked)
		pulled = append(pulled, got...)
		if err != nil {
			return pulled, err
		}
	}
	return pulled, nil
}

// pullable goes from the targets to the steps before them, until it finds results in the store or
// in the remote cache, and returns the steps of the latter. asked has the answers of the remote cache,
// by step.
func (e *Engine) pullable(ctx context.Context, g *plan.Graph, targets []string, asked map[string]bool) ([]string, error) {
	// A target that is published counts without a look at its files; see Missing.
	seen, wanted := map[visit]bool{}, map[string]bool{}
	var level []visit
	for _, id := range targets {
		level = append(level, visit{id, len(g.Step(id).Artifacts) == 0})
	}
	for first := true; len(level) > 0; first = false {
		var lacking []string
		for _, v := range level {
			if seen[v] {
				continue
			}
			seen[v] = true
			ok, err := e.serves(g, v.id, v.used)
			if err != nil {
				return nil, err
			}
			if !ok {
				lacking = append(lacking, v.id)
			}
		}
		level = nil
		if first {
			e.ask(ctx, g, lacking, asked)
		} else {
			// A question for each level would take as many round trips as the longest chain has steps.
			e.ask(ctx, g, g.Before(lacking), asked)
		}
		for _, id := range lacking {
			if wanted[id] = asked[id]; asked[id] {
				continue
			}
			for _, in := range g.Requires(id) {
				level = append(level, visit{in, true})
			}
		}
	}
	var ids []string
	for _, s := range g.Steps() {
		if wanted[s.ID] {
			ids = append(ids, s.ID)
		}
	}
	return ids, context.Cause(ctx)
}

// visit is a step that was looked at, and whether another one works on its result.
type visit struct {
	id   string
	used bool
}

// ask asks the remote cache for the results of steps for which it was not asked before.
func (e *Engine) ask(ctx context.Context, g *plan.Graph, ids []string, asked map[string]bool) {
	var keys []string
	for _, id := range ids {
		if _, ok := asked[id]; !ok && !hidden(g.Step(id)) {
			keys = append(keys, g.Key(id))
		}
	}
	there := e.Cache.Has(ctx, keys)
	for _, id := range ids {
		if _, ok := asked[id]; !ok {
			asked[id] = there[g.Key(id)]
		}
	}
}

// hidden reports whether the result of a step is neither pushed nor pulled. Results of private steps stay on this machine, and their keys
// differ on each machine. Downloaded packages come from their archive.
func hidden(s *plan.Step) bool { return s.Private || s.Stage == "packages" }

// pullAll pulls results, several at a time, and notes in asked which ones it could not get. It ends with the first
// error: it is one of this machine, which each of the others would meet, too.
func (e *Engine) pullAll(ctx context.Context, g *plan.Graph, ids []string, asked map[string]bool) (pulled []string, err error) {
	got := make([]bool, len(ids))
	err = remote.Each(ctx, len(ids), pullers, func(ctx context.Context, i int) (err error) {
		got[i], err = e.pull(ctx, g, ids[i])
		return err
	})
	for i, id := range ids {
		if asked[id] = got[i]; got[i] {
			pulled = append(pulled, id)
		}
	}
	return pulled, err
}

// pull brings one result into the store, and reports whether it is there then. A result that does
// not fit on the disk is an error of this machine.
func (e *Engine) pull(ctx context.Context, g *plan.Graph, id string) (ok bool, err error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	step, key := g.Step(id), g.Key(id)
	unlock, err := e.Store.Lock(ctx, key, func() {
		e.Sink.Emit(event.Event{Time: time.Now(), Kind: event.Waiting, Line: "another build is making " + id})
	})
	if err != nil {
		return false, err
	}
	defer unlock()
	if ok, _, err := e.Store.Sound(key); ok || err != nil {
		return ok, err
	}
	start, size := time.Now(), int64(0)
	ok, err = e.Cache.Get(ctx, key, func(packed io.Reader) error {
		counted := &counting{Reader: packed}
		_, err := e.Store.Unpack(counted, key)
		size = counted.n
		if err != nil && !OfDisk(err) {
			err = fmt.Errorf("%w: that of %s: %w", remote.ErrUnfit, id, err)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("pull the result of %s from %s: %w", id, e.Cache.URL(), err)
	}
	if ok {
		e.notePulled(id, false)
		e.Sink.Emit(event.Event{Time: time.Now(), Kind: event.StepPulled, Step: id, Stage: step.Stage, Title: step.Title, Key: key, Duration: time.Since(start), Total: size})
	}
	return ok, nil
}

// OfDisk reports whether an error comes from this machine: its disk is full, read-only or damaged, or it has too many open files.
func OfDisk(err error) bool {
	return slices.ContainsFunc([]error{unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.EIO, unix.EMFILE, unix.ENFILE}, func(of error) bool { return errors.Is(err, of) })
}

// counting counts the bytes that are read.
type counting struct {
	io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}
