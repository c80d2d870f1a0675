package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
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
	if list, err := os.Readlink(filepath.Join(c.options.output, name)); err == nil {
		return c.cleanTarget(ctx, name, strings.TrimSuffix(list, ".artifacts"))
	}
	output := engine.OutputOf(c.options.output, name)
	if !exists(output.Public) && !exists(output.Private) {
		fmt.Fprintf(c.Out, "%s: nothing to remove\n", name)
		return nil
	}
	unlock, err := c.claim(ctx, output, name, func(_ event.Kind, line string) { fmt.Fprintf(c.Err, "treewright: %s\n", line) })
	if err != nil {
		return err
	}
	defer unlock()
	if c.options.all {
		fmt.Fprintf(c.Out, "%s: removed, with its history\n", name)
		return errors.Join(os.RemoveAll(output.Public), os.RemoveAll(output.Private))
	}
	m, err := engine.ReadManifest(output)
	if err != nil {
		return fmt.Errorf("%w; `./build clean --all %s` removes all of %s", err, name, output.Public)
	}
	kept := ""
	for _, a := range m.Artifacts {
		if a.Kind == plan.RepositoryArtifact {
			kept = ", but for the history in " + filepath.Join(output.Public, a.Name)
			continue
		}
		if !filepath.IsLocal(a.Name) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(output.Public, a.Name)); err != nil {
			return err
		}
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(output.Public, engine.SumsName)), os.RemoveAll(output.Logs()), os.RemoveAll(output.Records())); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%s: removed%s\n", name, kept)
	return os.Remove(output.Manifest())
}

// cleanTarget removes what the newest build of a cname published, and what is
// kept of the cname itself. base is what the names of its files begin with.
func (c *command) cleanTarget(ctx context.Context, name, base string) error {
	cname := base[:max(strings.LastIndex(base, "-"), 0)]
	if cname == "" || filepath.Base(base) != base {
		return fmt.Errorf("%s is a link to %s, which no build of a cname made", filepath.Join(c.options.output, name), base)
	}
	output := engine.TargetOutput(c.options.output, cname)
	unlock, err := c.claim(ctx, output, name, func(_ event.Kind, line string) { fmt.Fprintf(c.Err, "treewright: %s\n", line) })
	if err != nil {
		return err
	}
	defer unlock()
	entries, err := os.ReadDir(c.options.output)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), base+".") {
			if err := os.Remove(filepath.Join(c.options.output, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.RemoveAll(output.Private); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%s: removed\n", name)
	return os.Remove(filepath.Join(c.options.output, name))
}
