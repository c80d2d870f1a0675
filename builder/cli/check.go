package cli

import (
	"context"
	"fmt"

	"github.com/treewright/treewright/builder/compose"
)

var checkVerb = &verb{
	name: "check", summary: "validate every flavour and every feature",
	details: `Reads and resolves every flavour and feature and reports all faults, each with
its place. Needs neither root nor a network.`,
	run: runCheck,
}

func runCheck(_ context.Context, c *command) error {
	if len(c.args) > 0 {
		return usagef("check takes no arguments: it looks at everything")
	}
	project, err := c.load()
	if err != nil {
		return err
	}
	if diags := compose.Check(project); diags.HasErrors() {
		return &configError{project, diags}
	} else if len(diags) > 0 {
		c.diagnostics(project, diags)
	}
	fmt.Fprintf(c.Out, "%d flavours and %d features are fine\n", len(project.Flavours), len(project.Features))
	return nil
}
