package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/treewright/treewright/builder/added"
)

// lastMinute is how long a shutdown waits for the image of an upgrade.
const lastMinute = 3 * time.Minute

// unitVerbs are what units of the feature layering start.
var unitVerbs = []*verb{
	unitVerb("added-boot", "link the image of packages for the commit that runs", (*added.Machine).Boot),
	unitVerb("added-follow", "get the images of packages that deployments lack", (*added.Machine).Follow),
	unitVerb("added-finalize", "hold an upgrade back that lacks its image of packages", func(m *added.Machine, ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, lastMinute, fmt.Errorf("the machine shuts down, and it is not waited for longer than %s", lastMinute))
		defer cancel()
		return m.Finalize(ctx)
	}),
}

func unitVerb(name, summary string, do func(*added.Machine, context.Context) error) *verb {
	return &verb{name: name, hidden: true, summary: summary, run: func(ctx context.Context, c *command) error {
		if len(c.args) > 0 {
			return usagef("%s takes no arguments, not %q", name, c.args[0])
		}
		return c.ofMachine(do(c.machine(), ctx))
	}}
}
