package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/trial"
)

var serveVerb = &verb{
	name: "serve", args: "[FLAVOUR...]", summary: "serve what was built over HTTP, for machines to upgrade from",
	example: "./build serve --listen :8099",
	details: `Serves the artifacts of the given flavours, or of all: OSTree repositories to
pull from, images, extensions with their SHA256SUMS. Artifacts that are built
meanwhile are served as soon as they are complete. Only artifacts are served, with
a page about them and the public part of their manifests. For a virtual machine on
this machine, the default address is http://10.0.2.2:8080. With --write the page is
written for another web server, and nothing is served. With a block extend in
treewright.hcl, images of packages are made for machines that ask for them.`,
	complete: "flavours...", flags: serving.flags, run: serving.run,
}

// serving has the options of serve.
var serving serveOptions

type serveOptions struct {
	listen, url, accessLog string
	write                  bool
}

func (o *serveOptions) flags(f *pflag.FlagSet, common *options) {
	keyFlags(f, common)
	signerFlags(f, common)
	o.listen = trial.Listen
	f.Var(address{&o.listen}, "listen", "the address to serve on; :8080 is all addresses of this machine")
	o.url = "" // a default is what a variable has before
	f.Var(webURL{&o.url}, "url", "the URL at which machines reach the output directory, for the commands on the page (default: the one that is asked for)")
	f.StringVar(&o.accessLog, "access-log", "", "the `FILE` to append a line to for each request, \"-\" for the standard output")
	f.BoolVar(&o.write, "write", false, "write the page to the output directory, for another web server at --url, and serve nothing")
}

func (o *serveOptions) run(ctx context.Context, c *command) error {
	var project *config.Project
	if len(c.args) > 0 {
		var err error
		if project, err = c.loadAll(ctx); err != nil {
			return err
		}
		for _, name := range c.args {
			if _, err := rules.Flavour(project, name); err != nil {
				return err
			}
		}
	}
	note := func(line string) { fmt.Fprintln(c.Err, line) }
	if o.write {
		return o.writePage(c, note)
	}
	h, err := serve.New(c.options.output, c.args, note)
	if err != nil {
		return err
	}
	h.At(o.url)
	log, err := o.openLog(c)
	if err != nil {
		return err
	}
	if log != nil {
		defer log.Close()
		h.LogTo(log)
	}
	stop, err := o.extend(ctx, c, h, project)
	if err != nil {
		return err
	}
	defer stop()
	err = serve.Serve(ctx, o.listen, h, func(addr string) {
		fmt.Fprintf(c.Err, "serving %s on http://%s/ until Ctrl-C\n", build.Shown(c.options.output), addr)
	})
	var taken *serve.TakenError
	if errors.As(err, &taken) {
		return fmt.Errorf("another `./build serve` or `./build run` serves on %s already", taken.Addr)
	}
	return err
}

func (o *serveOptions) writePage(c *command, note func(string)) error {
	switch {
	case o.url == "":
		return usagef("--write needs --url URL: the commands on the page have it")
	case o.accessLog != "":
		return usagef("--write serves nothing, so there is nothing for --access-log")
	}
	wrote, err := serve.Write(c.options.output, c.args, o.url, note)
	for _, path := range wrote {
		fmt.Fprintln(c.Out, path)
	}
	return err
}

// openLog opens the access log; nil if none is asked for. Clients' addresses are nothing
// for other users of this machine.
func (o *serveOptions) openLog(c *command) (io.WriteCloser, error) {
	switch o.accessLog {
	case "":
		return nil, nil
	case "-":
		return standardOutput{c.Out}, nil
	}
	f, err := os.OpenFile(o.accessLog, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the access log: %w", err)
	}
	return f, nil
}

// standardOutput is not closed.
type standardOutput struct{ io.Writer }

// Close implements [io.Closer].
func (standardOutput) Close() error { return nil }

// webURL is the value of an option that takes the URL of a directory on a web server. It is
// kept without a slash at the end.
type webURL struct{ value *string }

// Set implements [pflag.Value].
func (w webURL) Set(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("takes a URL such as https://updates.example.org, not %q", text)
	}
	*w.value = strings.TrimRight(u.String(), "/")
	return nil
}

func (w webURL) String() string { return *w.value }

// Type implements [pflag.Value].
func (w webURL) Type() string { return "URL" }
