package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/trial"
)

var serveVerb = &verb{
	name: "serve", args: "[FLAVOUR...]", summary: "serve what was built over HTTP, for machines to upgrade from",
	example: "./build serve --listen :8099",
	details: `Serves the artifacts of the given flavours, or of all: OSTree repositories to
pull from, images, extensions with their SHA256SUMS. Artifacts that are built
meanwhile are served as soon as they are complete. Only artifacts are served. For
a virtual machine on this machine, the default address is http://10.0.2.2:8080.`,
	complete: "flavours...", flags: serving.flags, run: serving.run,
}

// serving has the options of serve.
var serving serveOptions

type serveOptions struct{ listen string }

func (o *serveOptions) flags(f *pflag.FlagSet, _ *options) {
	o.listen = trial.Listen
	f.Var(address{&o.listen}, "listen", "the address to serve on; :8080 is all addresses of this machine")
}

func (o *serveOptions) run(ctx context.Context, c *command) error {
	if len(c.args) > 0 {
		project, err := c.loadAll()
		if err != nil {
			return err
		}
		for _, name := range c.args {
			if _, err := rules.Flavour(project, name); err != nil {
				return err
			}
		}
	}
	h, err := serve.New(c.options.output, c.args, func(line string) { fmt.Fprintln(c.Err, line) })
	if err != nil {
		return err
	}
	err = serve.Serve(ctx, o.listen, h, func(addr string) {
		fmt.Fprintf(c.Out, "serving %s on http://%s/ until Ctrl-C\n", build.Shown(c.options.output), addr)
	})
	var taken *serve.TakenError
	if errors.As(err, &taken) {
		return fmt.Errorf("another `./build serve` or `./build run` serves on %s already", taken.Addr)
	}
	return err
}
