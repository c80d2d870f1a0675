package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/gardenlinux"
)

// cnameFlags are the options that matter to builds of a cname.
func cnameFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.mirror, "mirror", "", "for a cname: the package archive's `URL`, in place of what the tree's get_repo says")
	f.StringVar(&o.keyring, "keyring", "", "for a cname: the `FILE` with the archive's keys (default: the tree's keyring.gpg, or with --mirror Debian's)")
	f.BoolVar(&o.network, "network", false, "for a cname: let features' scripts reach the network; what they fetch there is not noticed when it changes")
	f.BoolVar(&o.features.AllowFrankenstein, "allow-frankenstein", false, "for a cname: warn only if there is not exactly one platform")
}

// cnameOptions are what they, and those of check, say.
func (c *command) cnameOptions() gardenlinux.Options {
	o := &c.options
	return gardenlinux.Options{
		Mirror: o.mirror, Keyring: o.keyring, Network: o.network, AllowFrankenstein: o.features.AllowFrankenstein,
		NoRun: o.noRun, Arch: o.features.Arch, Version: o.features.Version,
		Say: func(line string) { fmt.Fprintf(c.Err, "treewright: %s\n", line) },
	}
}
