package cli

import (
	"context"
	"fmt"

	"github.com/treewright/treewright/builder/scaffold"
)

var newVerb = &verb{
	name: "new", args: "feature|flavour NAME", summary: "write a commented starting point",
	details:  "Writes features/NAME/ or flavours/NAME.hcl. Existing files are never changed.",
	complete: "feature flavour", run: runNew,
}

func runNew(_ context.Context, c *command) error {
	if len(c.args) != 2 {
		return usagef("new takes `feature NAME` or `flavour NAME`")
	}
	switch kind, name := c.args[0], c.args[1]; kind {
	case "feature":
		return c.newFeature(name)
	case "flavour", "flavor":
		return c.newFlavour(name)
	default:
		return usagef("new makes a feature or a flavour, not a %q", kind)
	}
}

func (c *command) newFeature(name string) error {
	wrote, err := scaffold.Feature(c.options.dir, name)
	for _, path := range wrote {
		fmt.Fprintf(c.Out, "wrote %s\n", path)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "\nAdd it to the features of a flavour. docs/features.md describes the other files of a feature.\n")
	return nil
}

func (c *command) newFlavour(name string) error {
	// Before anything is said of the tree.
	if err := scaffold.CheckFlavourName(name); err != nil {
		return err
	}
	project, err := c.load()
	if err != nil {
		return err
	}
	wrote, err := scaffold.Flavour(c.options.dir, name, project)
	if err != nil {
		return err
	}
	fmt.Fprint(c.Out, c.told(fmt.Sprintf("wrote %s\n\nBuild it with: ./build %s\n", wrote, name)))
	return nil
}
