package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

var planVerb = &verb{
	name: "plan", args: "FLAVOUR", summary: "list a flavour's steps: key, state, and why one must run",
	details: `Lists the steps in the order in which they are planned. A step is "cached" if
its result is there, "to run" if it must be made, "not needed" if what it leads
to is there already.`,
	complete: "flavours", run: runPlan,
	flags: func(f *pflag.FlagSet, o *options) {
		planFlags(f, o)
		f.StringVar(&o.format, "format", "text", "text, or json for programs")
	},
}

// plannedStep is a step as plan and graph show it.
type plannedStep struct {
	ID     string   `json:"id"`
	Stage  string   `json:"stage"`
	Title  string   `json:"title"`
	Key    string   `json:"key"`
	State  string   `json:"state"`
	Reason string   `json:"reason,omitempty"`
	Needs  []string `json:"needs"`
}

const (
	stateCached    = "cached"
	stateToRun     = "to run"
	stateNotNeeded = "not needed"
)

// planned prepares the one flavour that was named and tells its steps' states.
func planned(ctx context.Context, c *command) (*prepared, []plannedStep, error) {
	if len(c.args) != 1 {
		return nil, nil, usagef("%s wants one flavour", c.verb.name)
	}
	project, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	s, err := c.subject(ctx, project, c.args[0])
	if err != nil {
		return nil, nil, err
	}
	p, err := c.prepare(ctx, project, s, event.Discard)
	if err != nil {
		return nil, nil, err
	}
	before, err := c.recall(p.spec.Flavour.Name)
	if err != nil {
		return nil, nil, err
	}
	// Steps whose results are damaged are told of beside the plan.
	e := &engine.Engine{Store: p.store, Sink: event.NewPlain(c.Err, event.Options{})}
	missing, cached, err := e.Missing(p.graph, p.graph.Targets())
	if err != nil {
		return nil, nil, err
	}
	state := map[string]string{}
	for _, id := range cached {
		state[id] = stateCached
	}
	for _, id := range missing {
		state[id] = stateToRun
	}
	var steps []plannedStep
	for _, s := range p.graph.Steps() {
		ps := plannedStep{ID: s.ID, Stage: s.Stage, Title: s.Title, Key: p.graph.Key(s.ID), State: state[s.ID], Needs: p.graph.Needs(s.ID)}
		switch ps.State {
		case "":
			ps.State = stateNotNeeded
		case stateToRun:
			ps.Reason = reason(p.graph, s.ID, before)
		}
		steps = append(steps, ps)
	}
	return p, steps, nil
}

// reason says why a step must run.
func reason(g *plan.Graph, id string, before plan.Record) string {
	if before == nil {
		return "never built here"
	}
	if why := g.Why(id, before); why != "" {
		return why
	}
	return "its result is no longer in the cache"
}

func runPlan(ctx context.Context, c *command) error {
	_, steps, err := planned(ctx, c)
	if err != nil {
		return err
	}
	switch c.options.format {
	case "json":
		enc := json.NewEncoder(c.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(steps)
	case "text":
	default:
		return usagef("--format wants text or json, not %q", c.options.format)
	}
	w := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STEP\tKEY\tSTATE\tAFTER\tREASON")
	count := map[string]int{}
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
	fmt.Fprintf(c.Out, "\n%d to run, %d cached, %d not needed\n", count[stateToRun], count[stateCached], count[stateNotNeeded])
	return nil
}
