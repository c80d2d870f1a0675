package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/trial"
)

var serveVerb = &verb{
	name: "serve", args: "[FLAVOUR...]", summary: "serve what was built over HTTP, for machines to upgrade from",
	details: `Serves the artifacts of the given flavours, or of all: OSTree repositories to
pull from, images, extensions with their SHA256SUMS. What is built meanwhile is
served as soon as it is there. Nothing but artifacts can be asked for. A virtual
machine on this one finds the default address at http://10.0.2.2:8080.`,
	complete: "flavours", flags: serving.flags, run: serving.run,
}

// serving has the options of serve.
var serving serveOptions

type serveOptions struct{ listen string }

// defaultListen is where virtual machines on this one look for what was built.
const defaultListen = "127.0.0.1:" + trial.Port

func (o *serveOptions) flags(f *pflag.FlagSet, _ *options) {
	f.StringVar(&o.listen, "listen", defaultListen, "the address to serve on")
}

func (o *serveOptions) run(ctx context.Context, c *command) error {
	if len(c.args) > 0 {
		project, err := c.load()
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
	if errors.Is(err, syscall.EADDRINUSE) && servesAlready(ctx, o.listen) {
		return fmt.Errorf("another `./build serve` or `./build run` serves on %s already", o.listen)
	}
	return err
}

// servesAlready says whether a server like ours answers on an address.
func servesAlready(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/index.json", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var index struct {
		Flavours json.RawMessage `json:"flavours"`
	}
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(&index) == nil && index.Flavours != nil
}
