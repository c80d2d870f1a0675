package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/scaffold"
	"github.com/treewright/treewright/builder/treefs"
)

var newVerb = &verb{
	name: "new", args: "feature|flavour NAME", summary: "write a commented starting point",
	example: "./build new feature webserver\n./build new flavour kiosk",
	details: `Writes features/NAME/ or flavours/NAME.hcl. Existing files are never changed. The name of
a feature that comes from another tree, or of a shipped flavour, gives a copy of it.`,
	complete: "feature flavour, copies", run: runNew,
}

func runNew(ctx context.Context, c *command) error {
	if len(c.args) != 2 {
		return usagef("new takes `feature NAME` or `flavour NAME`")
	}
	switch kind, name := c.args[0], c.args[1]; kind {
	case "feature":
		return c.newFeature(ctx, name)
	case "flavour", "flavor":
		return c.newFlavour(ctx, name)
	default:
		return usagef("new makes a %s", oneOf(kind, []string{"feature", "flavour"}))
	}
}

func (c *command) newFeature(ctx context.Context, name string) error {
	if !build.IsTree(c.options.dir) && !treefs.Exists(filepath.Join(c.options.dir, config.FlavoursDir)) {
		_, err := c.load(ctx) // whose error explains what a tree is
		return err
	}
	next := "Add it to the features of a flavour. docs/features.md of Treewright describes the other files of a feature."
	write := func() ([]string, error) { return scaffold.Feature(c.options.dir, name) }
	if used := c.builder.UsedFeature(name); used != nil {
		next = fmt.Sprintf("It is a copy of %s, and is used in place of that from now on.", used.Dir)
		write = func() ([]string, error) { return scaffold.Copied(c.options.dir, used) }
	}
	wrote, err := write()
	for _, path := range wrote {
		fmt.Fprintf(c.Out, "wrote %s\n", path)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "\n%s\n", next)
	return nil
}

func (c *command) newFlavour(ctx context.Context, name string) error {
	// Before anything is said of the tree.
	if err := scaffold.CheckFlavourName(name); err != nil {
		return err
	}
	project, err := c.loadAll(ctx)
	if err != nil {
		return err
	}
	wrote, err := scaffold.Flavour(c.options.dir, name, project)
	if err != nil {
		return err
	}
	for _, path := range wrote {
		fmt.Fprintf(c.Out, "wrote %s\n", path)
	}
	fmt.Fprint(c.Out, c.told(fmt.Sprintf("\nBuild it with: ./build %s%s\n", c.elsewhere(), name)))
	return nil
}
