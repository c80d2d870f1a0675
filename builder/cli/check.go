package cli

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"
)

var checkVerb = &verb{
	name: "check", summary: "validate every flavour and every feature",
	details: `Reads and resolves every flavour and feature and reports all faults, each with
its place. That needs neither root nor a network.

In a tree of Garden Linux's, without flavours/, it also asks the tree's package
archive for packages that left it, and warns of scripts that rely on what is not
there and of what the Garden Linux builder treats differently. For that it runs
get_repo and its like, and package lists that take a shell, in a sandbox, and
says which; --no-run only looks.`,
	flags: func(f *pflag.FlagSet, o *options) {
		f.BoolVar(&o.noRun, "no-run", false, "for a tree without flavours: run none of its programs (get_repo and so on, package lists that take a shell)")
		f.StringVar(&o.features.Arch, "arch", "", "for a tree without flavours: the architecture to look at (default: this machine's)")
		f.StringVar(&o.features.Version, "version", "", "for a tree without flavours: the archive's suite (default: what get_version says)")
		f.StringVar(&o.mirror, "mirror", "", "for a tree without flavours: the package archive's `URL` (default: what get_repo says)")
		f.StringVar(&o.keyring, "keyring", "", "for a tree without flavours: the `FILE` with the archive's keys (default: the tree's keyring.gpg, or with --mirror Debian's)")
	},
	run: runCheck,
}

func runCheck(ctx context.Context, c *command) error {
	if len(c.args) > 0 {
		return usagef("check takes no arguments: it looks at everything")
	}
	checked, err := c.builder.Check(ctx)
	if len(checked.Found) > 0 {
		c.diagnostics(checked.Project, checked.Found)
	}
	if checked.Summary != "" {
		fmt.Fprintln(c.Out, checked.Summary)
	}
	return err
}
