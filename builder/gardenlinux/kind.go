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

// Topic implements [rules.Kind].
func (*Kind) Topic() rules.Topic {
	return rules.Topic{
		Name: "cname", Title: "For a cname of the Garden Linux builder",
		Details: `A cname names features of a tree, joined by "-", optionally followed by
-ARCH-VERSION, such as base-amd64-13. The Garden Linux builder builds it, and so
do the verbs below, which take it in place of a flavour's name.`,
	}
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

A name that is not a flavour is read as a cname of the Garden Linux builder:
features of the tree, joined by "-", optionally followed by -ARCH-VERSION. Its
artifacts are .build/CNAME-ARCH-VERSION-COMMIT.EXT, listed in .build/CNAME.`

const checkingHelp = `

In a Garden Linux tree, without flavours/, it also reports packages that the
tree's package archive does not have, and warns about scripts that need something
that is missing, and about what the Garden Linux builder treats differently. For
that it runs get_repo and the other get_* scripts, and package lists that need a
shell, in a sandbox, and lists what it ran; --no-run runs nothing.`

const runningHelp = `

The image of a cname is booted in the same way, but nothing is served to it. --ssh
works there if the image has an ssh server, and systemd 252 or newer, which gets
root's key from the firmware.`

const testingHelp = `

The test of a cname's image is passed when it reaches a login on its serial
console, ttyS0: a prompt, or an automatic login. If the image has systemd 256 or
newer, the test also checks inside that no unit failed and that the root file
system grew. The directories test/ of features of Garden Linux trees are for
another program and are not run.`

// planningFlags declares what matters to builds of a cname.
func (k *Kind) planningFlags(f *pflag.FlagSet) {
	f.StringVar(&k.Mirror, "mirror", "", "for a cname: the `URL` of the package archive (default: the output of the tree's get_repo)")
	f.StringVar(&k.Keyring, "keyring", "", "for a cname: the `FILE` with the keys of the package archive (default: the tree's keyring.gpg; with --mirror, Debian's)")
	f.BoolVar(&k.Network, "network", false, "for a cname: let features' scripts use the network; a change of what they fetch there is not noticed")
	f.BoolVar(&k.AllowFrankenstein, "allow-frankenstein", false, "for a cname: only warn if there is not exactly one platform")
}

func (k *Kind) buildingFlags(f *pflag.FlagSet) {
	f.Var(f.Lookup("output").Value, "target", "`DIRECTORY`, the same as --output; its name in the Garden Linux builder")
	f.BoolVar(&k.resolveCName, "resolve-cname", false, "print the common beginning of the names of a cname's artifacts, and build nothing")
}

func (k *Kind) checkingFlags(f *pflag.FlagSet) {
	f.BoolVar(&k.NoRun, "no-run", false, "for a tree without flavours: run none of its programs (get_repo and the other get_* scripts, package lists that need a shell)")
	f.StringVar(&k.Arch, "arch", "", "for a tree without flavours: the `ARCH` to check for (default: this machine's)")
	f.StringVar(&k.Version, "version", "", "for a tree without flavours: the `SUITE` of the package archive (default: the output of get_version)")
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
