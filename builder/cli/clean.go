package cli

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
)

var cleanVerb = &verb{
	name: "clean", args: "FLAVOUR...", summary: "remove a flavour's artifacts, but not its history",
	example: "./build clean debian-trixie-amd64-ostree",
	details: `Removes what a build put into .build/FLAVOUR/. An OSTree repository stays, because
it holds the history that the next build continues and machines upgrade from.
--history removes it, too, after asking.`,
	complete: "flavours...", run: cleaning.run, flags: cleaning.flags,
}

// cleaning has the options of clean.
var cleaning cleanOptions

type cleanOptions struct{ history, yes, all bool }

func (o *cleanOptions) flags(f *pflag.FlagSet, _ *options) {
	f.BoolVar(&o.history, "history", false, "also remove the repository with its history, and everything else in the directory")
	f.BoolVar(&o.yes, "yes", false, "with --history: do not ask")
	f.BoolVar(&o.all, "all", false, "the former name of --history")
	_ = f.MarkHidden("all") // it is there
}

func (o *cleanOptions) run(ctx context.Context, c *command) error {
	if len(c.args) == 0 {
		return lists(usagef("clean needs a flavour"))
	}
	switch {
	case o.all:
		return usagef("the option --all of clean is now --history, which also removes the repository with the history that machines upgrade from")
	case o.yes && !o.history:
		return usagef("--yes can only be used with --history")
	case o.history && !o.yes && !term.IsTerminal(int(c.In.Fd())):
		return usagef("clean --history removes what cannot be made again, and there is no terminal to ask on: give --yes, too")
	}
	// A wrong name is reported before anything is removed.
	for _, name := range c.args {
		if !config.IsFlavourName(name) {
			return usagef("%q is not a name of a flavour", name)
		}
		// What is not there to be removed should at least be something that could be.
		if !c.builder.MayClean(name) {
			if err := c.known(ctx, name); err != nil {
				return err
			}
		}
	}
	for _, name := range c.args {
		if err := o.one(ctx, c, name); err != nil {
			return err
		}
	}
	return nil
}

func (o *cleanOptions) one(ctx context.Context, c *command, name string) error {
	request := build.Clean{Name: name, Say: func(_ event.Kind, line string) { fmt.Fprintf(c.Err, "treewright: %s\n", line) }}
	if o.history {
		request.History = func(dir string, commits int) (bool, error) { return o.mayRemove(ctx, c, name, dir, commits) }
	}
	done, err := c.builder.Clean(ctx, request)
	if err != nil {
		return err
	}
	said := "removed"
	switch {
	case done.Refused:
		return fmt.Errorf("%s: nothing was removed", name)
	case done.Nothing:
		said = "nothing to remove"
	case done.History:
		said += ", with its history"
	case done.Kept != "":
		said += ", except the history in " + done.Kept
	}
	fmt.Fprintf(c.Out, "%s: %s\n", name, said)
	return nil
}

// known describes what is wrong with a name that nothing was built by.
func (c *command) known(ctx context.Context, name string) error {
	if slices.Contains(c.builder.FlavourNames(), name) {
		return nil // whatever else is wrong with the tree
	}
	_, err := c.subject(ctx, name)
	return err
}

// mayRemove asks whether a flavour's history may go, unless it was said already.
func (o *cleanOptions) mayRemove(ctx context.Context, c *command, name, dir string, commits int) (bool, error) {
	if o.yes {
		return true, nil
	}
	fmt.Fprintf(c.Err, "%s: remove %s, with the history of %s that machines upgrade from? It cannot be made again. [y/N] ", name, build.Shown(dir), diag.Counted(commits, "commit"))
	return c.confirmed(ctx)
}

// confirmed reads the answer to a question; all but yes means no.
func (c *command) confirmed(ctx context.Context) (bool, error) {
	answer := make(chan string, 1)
	go func() {
		// What is not a line is not a yes.
		line, _ := bufio.NewReader(c.In).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.Err) // after the question
		return false, context.Cause(ctx)
	case a := <-answer:
		return a == "y" || a == "yes", nil
	}
}
