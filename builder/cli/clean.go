package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/plan"
)

var cleanVerb = &verb{
	name: "clean", args: "FLAVOUR...", summary: "remove a flavour's artifacts, but not its history",
	details: `Removes what a build put into .build/FLAVOUR/. An OSTree repository stays, as it
holds the history that the next build continues; --all removes that too.`,
	complete: "flavours", run: runClean,
	flags: func(f *pflag.FlagSet, o *options) {
		f.BoolVar(&o.all, "all", false, "remove the repository with its history as well")
	},
}

func runClean(ctx context.Context, c *command) error {
	if len(c.args) == 0 {
		return usagef("clean wants a flavour")
	}
	for _, name := range c.args {
		if !flavourName.MatchString(name) {
			return usagef("%q is no name of a flavour", name)
		}
		if err := c.cleanOne(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *command) cleanOne(ctx context.Context, name string) error {
	output := filepath.Join(c.options.output, name)
	if _, err := os.Stat(output); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(c.Out, "%s: nothing to remove\n", name)
		return nil
	}
	unlock, err := lockContext(ctx, filepath.Join(output, ".lock"), func() {
		fmt.Fprintf(c.Err, "waiting for a build of %s to end\n", name)
	})
	if err != nil {
		return err
	}
	defer unlock()
	if c.options.all {
		fmt.Fprintf(c.Out, "%s: removed, with its history\n", name)
		return os.RemoveAll(output)
	}
	m, err := engine.ReadManifest(output)
	if err != nil {
		return fmt.Errorf("%w; `./build clean --all %s` removes all of %s", err, name, output)
	}
	kept := ""
	for _, a := range m.Artifacts {
		if a.Kind == plan.RepositoryArtifact {
			kept = ", but for the history in " + filepath.Join(output, a.Name)
			continue
		}
		if !filepath.IsLocal(a.Name) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(output, a.Name)); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(filepath.Join(output, "logs")); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%s: removed%s\n", name, kept)
	return os.Remove(filepath.Join(output, engine.ManifestName))
}
