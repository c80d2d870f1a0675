package cli

import (
	"context"

	"golang.org/x/term"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/plan"
)

var shellVerb = &verb{
	name: "shell", args: "FLAVOUR [STEP]", summary: "open a shell in the tree as a step sees it",
	details: `Makes what STEP needs, as far as it is missing, and opens a shell in the tree as
the step finds it, with its environment and the feature's folder below
/builder. Without STEP it is the finished tree of the system. What is changed
there is thrown away when the shell ends.`,
	complete: "flavours", flags: runFlags, run: runShell,
}

func runShell(ctx context.Context, c *command) error {
	if len(c.args) < 1 || len(c.args) > 2 {
		return usagef("shell wants a flavour and, if you like, a step")
	}
	project, err := c.load()
	if err != nil {
		return err
	}
	s, err := c.subject(ctx, project, c.args[0])
	if err != nil {
		return err
	}
	sink, err := c.sink()
	if err != nil {
		return err
	}
	p, err := c.prepare(ctx, project, s, sink)
	if err != nil {
		sink.Close()
		return err
	}
	step, err := shellStep(p.graph, c.args[1:])
	if err != nil {
		sink.Close()
		return err
	}
	_, err = c.run(ctx, p, sink, p.graph.Requires(step))
	if cerr := sink.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if !term.IsTerminal(int(c.In.Fd())) {
		return engine.Shell(ctx, p.store, p.graph, step)
	}
	// Ctrl-C belongs to the shell while it runs.
	return engine.Shell(context.WithoutCancel(ctx), p.store, p.graph, step)
}

// shellStep finds the step that was named, or adds one of its own on top of
// the system's tree.
func shellStep(g *plan.Graph, args []string) (string, error) {
	if len(args) == 1 {
		if g.Step(args[0]) != nil {
			return args[0], nil
		}
		var ids []string
		for _, s := range g.Steps() {
			ids = append(ids, s.ID)
		}
		if s := config.Suggest(args[0], ids); s != "" {
			return "", usagef("there is no step %q; did you mean %q?", args[0], s)
		}
		return "", usagef("there is no step %q; `./build plan` lists them", args[0])
	}
	tip := ""
	for _, s := range g.Steps() {
		if s.Stage == "rootfs" && s.Output == plan.Layer {
			tip = s.ID
		}
	}
	const id = "rootfs/shell"
	return id, g.Add(plan.Step{ID: id, Stage: "rootfs", Title: "shell", Action: "shell", Base: tip, Output: plan.Layer, Arch: g.Step(tip).Arch})
}
