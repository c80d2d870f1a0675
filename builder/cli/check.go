package cli

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/rules"
)

var checkVerb = &verb{
	name: "check", summary: "validate every flavour and every feature",
	example: "./build check",
	details: `Reads and resolves every flavour and feature and reports all faults, each with
its place. It needs neither root nor a network.`,
	uses:  []rules.Use{rules.Checking},
	flags: func(f *pflag.FlagSet, o *options) { addFlags(f, o, rules.Checking) },
	run:   runCheck,
}

func runCheck(ctx context.Context, c *command) error {
	if len(c.args) > 0 {
		return usagef("check takes no arguments: it checks everything")
	}
	checked, err := c.builder.Check(ctx)
	if len(checked.Found) > 0 {
		c.diagnostics(checked.Project, checked.Found)
	}
	if checked.Summary != "" {
		fmt.Fprintln(c.Out, checked.Summary)
	}
	return err
}
