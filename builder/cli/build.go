package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/rules"
)

var buildVerb = &verb{
	name: "build", args: "FLAVOUR|PATTERN" + additionOf(rules.Building).Or + "...", summary: "build flavours (the verb may be left out)",
	example: "./build debian-trixie-amd64-ostree\n./build --jobs 2 build debian-testing-amd64-ostree --progress plain",
	details: `Builds each flavour: its root file system and, if its features ask for them, its
commit, image and extensions. Steps whose results are in the cache are not run
again. Artifacts are in .build/FLAVOUR/. The logs, and manifest.json with what was
built from what, are in .build/.private/FLAVOUR/.

A pattern has *, ? and [...] as in a shell, and means all flavours that match it.
With --shard or --changed-since and without a name, all flavours are meant. All
parts together are all flavours, each once, on whatever machines they are built.`,
	uses:     []rules.Use{rules.Building},
	complete: "flavours...", run: runBuild, flags: buildFlags,
}

// building has the options of build that choose flavours.
var building selection

func buildFlags(f *pflag.FlagSet, o *options) {
	runFlags(f, o)
	signFlags(f, o)
	traceFlag(f, o)
	f.BoolVar(&o.allLayers, "all-layers", false, "make all layers, or take them from the remote cache, also those that no artifact needs here: why, report and shell read them")
	building.sinceFlag(f)
	building.shardFlag(f)
	building.timesFlag(f, shardTimes)
	addFlags(f, o, rules.Building)
}

func runBuild(ctx context.Context, c *command) error {
	if len(c.args) == 0 && !building.given() {
		return lists(usagef("name a flavour to build"))
	}
	project, err := c.load(ctx)
	if err != nil {
		return c.meantVerb(err)
	}
	if building.given() || len(building.times) > 0 || slices.ContainsFunc(c.args, isPattern) {
		some, err := c.choose(ctx, project, &building, c.args, false)
		if err != nil {
			return err
		}
		if c.args = some.names; len(c.args) == 0 {
			c.say(building.nothing())
			return nil
		}
	}
	subjects := make([]*build.Subject, len(c.args))
	for i, name := range c.args {
		if subjects[i], err = c.resolve(ctx, project, name); err != nil && i == 0 {
			return c.meantVerb(err)
		} else if err != nil {
			return err
		}
	}
	if answered, err := c.options.other.Answer(c.Out, subjects); answered || err != nil {
		return err
	}
	if err := c.builder.CheckSecrets(ctx, subjects...); err != nil {
		return err
	}
	for _, s := range subjects {
		if err := c.buildOne(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// sink opens the progress display, on standard error: standard output is for results.
func (c *command) sink() (event.Sink, error) {
	s, err := c.sinkOn(c.Err.File)
	if err != nil {
		return nil, err
	}
	return c.withTrace(s), nil
}

func (c *command) sinkOn(f *os.File) (event.Sink, error) {
	s, err := event.Choose(c.options.progress, f, event.Options{Verbose: c.options.verbose})
	if err != nil {
		return nil, usagef("%v", err)
	}
	return s, nil
}

// buildOne builds one flavour and says what was made. What programs read of it, the
// events, is on standard output.
func (c *command) buildOne(ctx context.Context, s *build.Subject) error {
	start, forPeople, out := time.Now(), c.options.progress != "json", c.Err.File
	c.options.current = s.Name
	if !forPeople {
		out = c.Out.File
	}
	sink, err := c.sinkOn(out)
	if err != nil {
		return err
	}
	request := build.Request{Name: s.Name, Subject: s, Sink: sink}
	if forPeople {
		request.Sink = withoutResults{sink, ctx}
	}
	request.Sink = c.withTrace(request.Sink)
	before := c.published(s)
	made, err := c.builder.Build(ctx, request)
	if err := errors.Join(err, sink.Close()); err != nil {
		return err
	}
	switch took := time.Since(start); {
	case !forPeople:
	case len(made.Outcome.Ran) == 0 && same(before, made.Manifest.Artifacts) && !c.options.verbose:
		c.nothingToDo(made, took)
	default:
		c.lastScreen(made, took)
	}
	return nil
}

// withoutResults leaves out artifacts and the end of a build, which the last screen shows.
// A build that the user stopped is not reported as failed; the end of the program says
// that it was stopped.
type withoutResults struct {
	event.Sink
	ctx context.Context
}

func (s withoutResults) Emit(e event.Event) {
	switch e.Kind {
	case event.Made, event.BuildFinished:
		return
	case event.BuildFailed:
		if s.ctx.Err() != nil {
			return
		}
	}
	s.Sink.Emit(e)
}
