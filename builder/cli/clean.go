package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

var cleanVerb = &verb{
	name: "clean", args: "FLAVOUR...", summary: "remove a flavour's artifacts, but not its history",
	details: `Removes what a build put into .build/FLAVOUR/. An OSTree repository stays, as it
holds the history that the next build continues and machines upgrade from.
--history removes that too, after it has asked.`,
	complete: "flavours", run: runClean,
	flags: func(f *pflag.FlagSet, o *options) {
		f.BoolVar(&o.history, "history", false, "remove the repository with its history as well, and all else there")
		f.BoolVar(&o.yes, "yes", false, "with --history: do not ask")
		f.BoolVar(&o.all, "all", false, "what --history was called before")
		_ = f.MarkHidden("all") // it is there
	},
}

func runClean(ctx context.Context, c *command) error {
	if len(c.args) == 0 {
		return usagef("clean wants a flavour")
	}
	switch {
	case c.options.all:
		return usagef("clean has no option --all any more: --history removes the repository as well, with the history that machines upgrade from")
	case c.options.yes && !c.options.history:
		return usagef("--yes goes with --history")
	case c.options.history && !c.options.yes && !term.IsTerminal(int(c.In.Fd())):
		return usagef("clean --history removes what cannot be made again, and there is no terminal to ask on: it wants --yes as well")
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
	unlock, err := build.Claim(ctx, output, name, func(_ event.Kind, line string) { fmt.Fprintf(c.Err, "treewright: %s\n", line) })
	if err != nil {
		return err
	}
	defer unlock()
	if c.options.history {
		return c.cleanHistory(ctx, output, name)
	}
	m, err := engine.ReadManifest(output)
	if err != nil {
		return fmt.Errorf("%w; `./build clean --history %s` removes all of %s, with its history", err, name, output.Public)
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

// cleanHistory removes all that there is of a flavour. It asks first, unless it
// is told not to, or there is no commit.
func (c *command) cleanHistory(ctx context.Context, output engine.Output, name string) error {
	commits, err := layer.Glob(output.Public, "*/objects/??/*.commit")
	if err != nil {
		return err
	}
	if n := len(commits); n > 0 && !c.options.yes {
		fmt.Fprintf(c.Out, "%s: remove %s, with the history of %s that machines upgrade from? It cannot be made again. [y/N] ", name, build.Shown(output.Public), counted(n, "commit"))
		yes, err := c.confirmed(ctx)
		if err != nil {
			return err
		}
		if !yes {
			return fmt.Errorf("%s: nothing was removed", name)
		}
	}
	if err := errors.Join(os.RemoveAll(output.Public), os.RemoveAll(output.Private)); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%s: removed, with its history\n", name)
	return nil
}

// confirmed reads the answer to a question; all but yes is no.
func (c *command) confirmed(ctx context.Context) (bool, error) {
	answer := make(chan string, 1)
	go func() {
		// What is no line is no yes.
		line, _ := bufio.NewReader(c.In).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case a := <-answer:
		return a == "y" || a == "yes", nil
	}
}

// counted is "1 commit", "2 commits".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// cleanTarget removes what the newest build of a cname published, and what is
// kept of the cname itself. base is what the names of its files begin with.
func (c *command) cleanTarget(ctx context.Context, name, base string) error {
	cname := base[:max(strings.LastIndex(base, "-"), 0)]
	if cname == "" || filepath.Base(base) != base {
		return fmt.Errorf("%s is a link to %s, which no build of a cname made", filepath.Join(c.options.output, name), base)
	}
	output := engine.TargetOutput(c.options.output, cname)
	unlock, err := build.Claim(ctx, output, name, func(_ event.Kind, line string) { fmt.Fprintf(c.Err, "treewright: %s\n", line) })
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
