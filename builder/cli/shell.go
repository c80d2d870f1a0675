package cli

import (
	"context"
	"strings"

	"golang.org/x/term"

	"github.com/treewright/treewright/builder/build"
)

var shellVerb = &verb{
	name: "shell", args: "FLAVOUR [STEP]", summary: "open a shell in the tree as a step sees it",
	example: "./build shell debian-trixie-amd64-ostree rootfs/exec.config/base",
	details: `Builds missing inputs of STEP, and opens a shell in the tree in the state in which
STEP starts, with the environment of STEP and the feature's directory below
/builder. Without STEP it is the finished tree of the system. Changes made in the
shell are thrown away when it ends. Its exit code is passed on.`,
	complete: "flavours, steps", flags: runFlags, run: runShell,
}

func runShell(ctx context.Context, c *command) error {
	if len(c.args) < 1 || len(c.args) > 2 {
		return lists(usagef("shell takes a flavour and, optionally, a step"))
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	sink, err := c.sink()
	if err != nil {
		return err
	}
	p, step, err := c.builder.Inside(ctx, s, strings.Join(c.args[1:], ""), sink)
	if cerr := sink.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if !term.IsTerminal(int(c.In.Fd())) {
		return build.Shell(ctx, p, step)
	}
	// Ctrl-C belongs to the shell while it runs.
	return build.Shell(context.WithoutCancel(ctx), p, step)
}
