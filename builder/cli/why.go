package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/event"
)

var whyVerb = &verb{
	name: "why", args: "FLAVOUR PATH", summary: "show which steps made or changed a file of the tree",
	details: `Looks through the layers of the last build, the oldest first. PATH is absolute
within the tree, as packages and features see it (/etc/..., not /usr/etc/...).`,
	complete: "flavours", flags: planFlags, run: runWhy,
}

func runWhy(ctx context.Context, c *command) error {
	if len(c.args) != 2 || !strings.HasPrefix(c.args[1], "/") {
		return usagef("why takes a flavour and an absolute path")
	}
	p, err := c.prepare(ctx, c.args[0], event.Discard)
	if err != nil {
		return err
	}
	changes, missing, err := p.Why(c.args[1])
	if err != nil {
		return err
	}
	for _, ch := range changes {
		fmt.Fprintf(c.Out, "%-10s %s  (%s)", ch.What, ch.Step, ch.Title)
		if ch.Place != "" {
			fmt.Fprintf(c.Out, "  %s", ch.Place)
		}
		fmt.Fprintln(c.Out)
	}
	if missing > 0 {
		fmt.Fprintf(c.Out, "%d layers are not in the cache; build the flavour to see all\n", missing)
	}
	if len(changes) == 0 {
		return fmt.Errorf("no layer contains %s", c.args[1])
	}
	return nil
}
