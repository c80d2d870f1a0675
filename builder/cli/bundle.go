package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/added"
	"github.com/treewright/treewright/builder/extend"
)

var bundleVerb = &verb{
	name: "bundle", args: "COMMIT PACKAGE...", summary: "put packages for a machine without a network on a stick",
	example: "./build bundle a5b017f5d39a jq tcpdump --to /media/stick",
	details: `PACKAGE are all that the machine is to have, also those that it has. On a machine,
--server need not be given, and COMMIT can be the start of the checksum of one of
its commits. The directory can get images for several commits, such as the one that
runs and the next one. If the server published packages with the commit (the
parameter pool), they are put there too, and "add --local --bundle" makes images of
other packages from them. The machine that adds packages checks the signatures.`,
	flags: bundling.flags, run: bundling.run,
}

// bundling has the options of bundle.
var bundling bundleOptions

type bundleOptions struct {
	server, to string
	noPool     bool
}

func (o *bundleOptions) flags(f *pflag.FlagSet, _ *options) {
	o.server = "" // the default of a flag is the earlier value of its variable
	f.Var(webURL{&o.server}, "server", "the URL of the directory with the directory extend, from which images come (default: the server from which this machine adds packages)")
	f.StringVar(&o.to, "to", "bundle", "the `DIRECTORY` to put the image into")
	f.BoolVar(&o.noPool, "no-pool", false, "leave out the packages that the server published with the commit")
}

func (o *bundleOptions) run(ctx context.Context, c *command) error {
	if len(c.args) < 2 {
		return usagef("bundle takes a commit and the names of packages")
	}
	m, commit := c.machine(), c.args[0]
	if o.server == "" || len(commit) < 64 {
		d, base, err := m.Known(ctx, commit)
		if errors.Is(err, added.ErrNoDeployment) {
			return usagef("bundle needs --server and the whole checksum of a commit here: %v", err)
		}
		if err != nil {
			return err
		}
		commit = d.Commit
		if o.server == "" {
			o.server = base
		}
	}
	q := extend.Request{Commit: commit, Packages: c.args[1:]}
	if err := q.Check(); err != nil {
		return usagef("%v", err)
	}
	dir, err := filepath.Abs(o.to)
	if err != nil {
		return err
	}
	packed, err := m.Pack(ctx, q, o.server, dir, !o.noPool)
	if err != nil {
		return err
	}
	switch {
	case o.noPool:
	case packed.Pool == nil:
		c.say("the server published no packages with this commit, so the bundle has the image only")
	default:
		c.say(fmt.Sprintf("the bundle has all packages that were published with this commit (%d)", len(packed.Pool)))
	}
	_, err = fmt.Fprintf(c.Out, "%s has an image of %.1f MB for commit %.12s; on the machine: treewright add %s --bundle DIRECTORY\n", visible(o.to), float64(packed.Document.Size)/1e6, commit, namesOf(q))
	return err
}

// namesOf returns the packages of a request as words of a command line.
func namesOf(q extend.Request) (words string) {
	for i, name := range q.Sorted().Packages {
		if i > 0 {
			words += " "
		}
		words += name
	}
	return words
}
