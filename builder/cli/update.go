package cli

import (
	"context"
	"fmt"
)

var updateVerb = &verb{
	name: "update", summary: "on a machine: newer versions of the added packages",
	example: "./build update",
	details: `Gets an image with the newest versions of all packages that were added, for the
commit that runs and for the one of the next boot, and starts services of the
packages again if a version has changed. A server that makes images makes it again
if it is older than an hour. The packages of the commit itself are changed by
upgrades only (ostree admin upgrade).`,
	flags: adding.flags, run: adding.update,
}

func (o *addOptions) update(ctx context.Context, c *command) error {
	if len(c.args) > 0 {
		return usagef("update takes no arguments, not %q", c.args[0])
	}
	dir, err := o.dir()
	if err != nil {
		return err
	}
	done, err := o.machine(c).Update(ctx, dir)
	if err != nil {
		return c.ofMachine(err)
	}
	switch {
	case done.Document == nil:
		_, err = fmt.Fprintln(c.Out, "no packages are added")
		return err
	case len(done.Versions) == 0:
		if _, err := fmt.Fprintln(c.Out, "there are no newer versions"); err != nil {
			return err
		}
		return unitProblems(done.Problems)
	}
	for _, line := range done.Versions {
		c.say(visible(line))
	}
	return c.changed(&done.Changed)
}
