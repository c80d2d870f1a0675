package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/scaffold"
)

var initVerb = &verb{
	name: "init", args: "DIRECTORY", summary: "write a tree of your own",
	example: "./build init ~/my-system",
	details: `Writes a configuration tree that uses the shipped features: treewright.hcl, a
flavour, a feature with a test, and what CI needs. DIRECTORY must be new or empty;
git init may have been run in it. Nothing of it depends on where Treewright is.`,
	complete: "directories", run: runInit,
}

func runInit(_ context.Context, c *command) error {
	if len(c.args) != 1 {
		return usagef("init takes the directory of the new tree")
	}
	// CI could not fetch what no commit holds.
	revision, changed, _ := strings.Cut(compiledFrom, ", ")
	if changed != "" {
		revision = ""
	}
	wrote, err := scaffold.Tree(c.args[0], revision)
	if err != nil {
		return err
	}
	for _, file := range wrote {
		fmt.Fprintf(c.Out, "wrote %s\n", file)
	}
	where := "-C " + sandbox.Quote(c.args[0])
	fmt.Fprint(c.Out, c.told(fmt.Sprintf("\nNext:\n  %-22s ./build %s check\n  %-22s ./build %s example\n", "validate it:", where, "build the example:", where)))
	return nil
}
