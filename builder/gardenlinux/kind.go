package gardenlinux

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/rules"
)

// Kind is the kind of trees with features alone. It implements [rules.Kind].
type Kind struct {
	Options
	// resolveCName asks for what the names of artifacts begin with.
	resolveCName bool
}

// Rules implements [rules.Kind].
func (k *Kind) Rules(p rules.Place) rules.Rules { return &Rules{Options: k.Options, Place: p} }

// Verbs implements [rules.Kind].
func (*Kind) Verbs() []rules.Verb {
	return append([]rules.Verb{(&featuresVerb{}).verb()}, helperVerbs()...)
}

// Addition implements [rules.Kind].
func (k *Kind) Addition(use rules.Use) rules.Addition {
	const or = "|CNAME"
	switch use {
	case rules.Planning:
		return rules.Addition{Flags: k.planningFlags}
	case rules.Building:
		return rules.Addition{Or: or, Help: buildingHelp, Flags: k.buildingFlags}
	case rules.Checking:
		return rules.Addition{Help: checkingHelp, Flags: k.checkingFlags}
	case rules.Running:
		return rules.Addition{Or: or, Help: runningHelp}
	case rules.Testing:
		return rules.Addition{Or: or, Help: testingHelp}
	}
	panic(fmt.Sprintf("verbs of use %d are not known", use))
}

const buildingHelp = `

A name that is not a flavour's is a cname, as the Garden Linux builder has it:
features of the tree, joined by "-", perhaps with -ARCH-VERSION behind them. Its
artifacts are .build/CNAME-ARCH-VERSION-COMMIT.EXT, listed in .build/CNAME.`

const checkingHelp = `

In a tree of Garden Linux's, without flavours/, it also asks the tree's package
archive for packages that left it, and warns of scripts that rely on what is not
there and of what the Garden Linux builder treats differently. For that it runs
get_repo and its like, and package lists that take a shell, in a sandbox, and
says which; --no-run only looks.`

const runningHelp = `

The image of a cname is booted likewise, but nothing is served to it. --ssh works
there if it has an ssh server, and a systemd of 252 or newer that takes over
root's key from the firmware.`

const testingHelp = `

The image of a cname is none of Treewright's own making. It has passed when
somebody can log in on its serial console, ttyS0: by a prompt, or automatically.
If its systemd is 256 or newer, the test also asks inside whether a unit failed
and whether the root file system grew. The folders test/ of Garden Linux's
features are for another program and are not run.`

// planningFlags declares what matters to builds of a cname.
func (k *Kind) planningFlags(f *pflag.FlagSet) {
	f.StringVar(&k.Mirror, "mirror", "", "for a cname: the `URL` of the package archive (default: the output of the tree's get_repo)")
	f.StringVar(&k.Keyring, "keyring", "", "for a cname: the `FILE` with the keys of the package archive (default: the tree's keyring.gpg; with --mirror, Debian's)")
	f.BoolVar(&k.Network, "network", false, "for a cname: let features' scripts use the network; a change of what they fetch there is not noticed")
	f.BoolVar(&k.AllowFrankenstein, "allow-frankenstein", false, "for a cname: only warn if there is not exactly one platform")
}

func (k *Kind) buildingFlags(f *pflag.FlagSet) {
	f.Var(f.Lookup("output").Value, "target", "the same as --output; its name in the Garden Linux builder")
	f.BoolVar(&k.resolveCName, "resolve-cname", false, "print the common beginning of the names of a cname's artifacts, and build nothing")
}

func (k *Kind) checkingFlags(f *pflag.FlagSet) {
	f.BoolVar(&k.NoRun, "no-run", false, "for a tree without flavours: run none of its programs (get_repo and the other get_* scripts, package lists that need a shell)")
	f.StringVar(&k.Arch, "arch", "", "for a tree without flavours: the architecture to check for (default: this machine's)")
	f.StringVar(&k.Version, "version", "", "for a tree without flavours: the suite of the package archive (default: the output of get_version)")
	f.StringVar(&k.Mirror, "mirror", "", "for a tree without flavours: the `URL` of the package archive (default: the output of get_repo)")
	f.StringVar(&k.Keyring, "keyring", "", "for a tree without flavours: the `FILE` with the keys of the package archive (default: the tree's keyring.gpg; with --mirror, Debian's)")
}

// Answer implements [rules.Kind].
func (k *Kind) Answer(out io.Writer, subjects []*rules.Subject) (bool, error) {
	if !k.resolveCName {
		return false, nil
	}
	if len(subjects) == 1 {
		if n, ok := subjects[0].Names.(names); ok {
			_, err := fmt.Fprintln(out, n.base)
			return true, err
		}
	}
	return true, diag.Requestf("--resolve-cname takes one cname")
}
