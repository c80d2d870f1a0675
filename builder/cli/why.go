package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

var whyVerb = &verb{
	name: "why", args: "FLAVOUR PATH", summary: "show which steps made or changed a file of the tree",
	details: `Looks through the layers of the last build, the oldest first. PATH is absolute
within the tree, as packages and features see it (/etc/..., not /usr/etc/...).`,
	complete: "flavours", flags: planFlags, run: runWhy,
}

func runWhy(ctx context.Context, c *command) error {
	if len(c.args) != 2 || !strings.HasPrefix(c.args[1], "/") {
		return usagef("why wants a flavour and an absolute path")
	}
	p, err := c.prepare(ctx, c.args[0], event.Discard)
	if err != nil {
		return err
	}
	store := p.Cache.Store
	found, missing := false, 0
	for _, s := range p.Graph.Steps() {
		if s.Output != plan.Layer {
			continue
		}
		key := p.Graph.Key(s.ID)
		if _, ok, err := store.Get(key); err != nil {
			return err
		} else if !ok {
			missing++
			continue
		}
		change := layer.ChangeOf(filepath.Join(store.Data(key), filepath.Clean(c.args[1])))
		if change == "" {
			continue
		}
		found = true
		fmt.Fprintf(c.Out, "%-10s %s  (%s)\n", change, s.ID, s.Title)
	}
	if missing > 0 {
		fmt.Fprintf(c.Out, "%d layers are not in the cache; build the flavour to know all\n", missing)
	}
	if !found {
		return fmt.Errorf("no layer has %s", c.args[1])
	}
	return nil
}
