package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
)

var planVerb = &verb{
	name: "plan", args: "FLAVOUR", summary: "list a flavour's steps: key, state, and why one must run",
	details: `Lists the steps in the order in which they are planned. A step is "cached" if
its result is in the cache, "to run" if it must run, "not needed" if the results
that depend on it are in the cache already.`,
	complete: "flavours", run: planning.run, flags: planning.flags,
}

// planning has the options of plan.
var planning planOptions

type planOptions struct{ format string }

func (o *planOptions) flags(f *pflag.FlagSet, common *options) {
	planFlags(f, common)
	f.StringVar(&o.format, "format", "text", "text, or json for programs")
}

// planned prepares the one flavour that was named and tells its steps' states.
func planned(ctx context.Context, c *command) ([]build.Step, error) {
	if len(c.args) != 1 {
		return nil, usagef("%s takes one flavour", c.verb.name)
	}
	p, err := c.prepare(ctx, c.args[0], event.Discard)
	if err != nil {
		return nil, err
	}
	// Steps whose results are damaged are reported beside the plan.
	return c.builder.Plan(p, event.NewPlain(c.Err, event.Options{}))
}

func (o *planOptions) run(ctx context.Context, c *command) error {
	steps, err := planned(ctx, c)
	if err != nil {
		return err
	}
	switch o.format {
	case "json":
		enc := json.NewEncoder(c.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(steps)
	case "text":
	default:
		return usagef("--format takes text or json, not %q", o.format)
	}
	w := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STEP\tKEY\tSTATE\tAFTER\tREASON")
	count := map[build.State]int{}
	for _, s := range steps {
		count[s.State]++
		after := strings.Join(s.Needs, " ")
		if after == "" {
			after = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.Key[:12], s.State, after, s.Reason)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "\n%d to run, %d cached, %d not needed\n", count[build.ToRun], count[build.Cached], count[build.NotNeeded])
	return nil
}
