package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/added"
	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
)

var addVerb = &verb{
	name: "add", args: "PACKAGE...", summary: "on a machine: add packages",
	example: "./build add jq tcpdump\n./build add jq --bundle /media/stick",
	details: `Gets one image of all packages that were added so far and of these, made for the
commit that runs and for the one of the next boot. It comes from the server of the
system's remote, which makes it if it does not have it yet, or from the directory
of --bundle, or with --local this machine makes it, from the packages that were
published with the commit and from the sources in /etc/apt.
An image is checked by the public keys of that remote, and merged.
If anything fails, nothing is changed. Later upgrades wait for their own image.`,
	flags: adding.flags, run: adding.add,
}

var removeVerb = &verb{
	name: "remove", args: "PACKAGE...", summary: "on a machine: remove packages",
	example: "./build remove jq",
	details: `Merges an image without these packages; without the last of them, none. Files that
programs made in /etc and /var, and accounts, stay. The image of an older
deployment keeps the packages, for a rollback.`,
	complete: "wanted...", flags: adding.flags, run: adding.remove,
}

// adding has the options of add, remove and update.
var adding addOptions

type addOptions struct {
	bundle string
	local  bool
}

func (o *addOptions) flags(f *pflag.FlagSet, _ *options) {
	*o = addOptions{}
	f.StringVar(&o.bundle, "bundle", "", "take images from this `DIRECTORY`, which the verb bundle made, and ask no server; with --local, take packages from it")
	f.BoolVar(&o.local, "local", false, "make the image on this machine, and ask no server to make it")
}

// thisMachine is the machine that the verbs of machines change.
var thisMachine = added.This

// machine returns that machine.
func (c *command) machine() *added.Machine { return thisMachine(c.say) }

func (o *addOptions) add(ctx context.Context, c *command) error {
	return o.change(ctx, c, o.machine(c).Add)
}

func (o *addOptions) remove(ctx context.Context, c *command) error {
	return o.change(ctx, c, o.machine(c).Remove)
}

func (o *addOptions) machine(c *command) *added.Machine {
	m := c.machine()
	m.Local = o.local
	return m
}

func (o *addOptions) change(ctx context.Context, c *command, change func(context.Context, []string, string) (*added.Changed, error)) error {
	if len(c.args) == 0 {
		return usagef("%s takes the names of packages", c.verb.name)
	}
	dir, err := o.dir()
	if err != nil {
		return err
	}
	done, err := change(ctx, c.args, dir)
	if err != nil {
		return c.ofMachine(err)
	}
	return c.changed(done)
}

// changed prints the result of a change of the packages.
func (c *command) changed(done *added.Changed) error {
	var b strings.Builder
	if done.Document == nil {
		b.WriteString("no packages are added any more\n")
	} else {
		fmt.Fprintf(&b, "merged: %s\n", strings.Join(done.Wanted, ", "))
		for _, p := range done.Document.Added {
			fmt.Fprintf(&b, "  %s %s\n", visible(p.Name), visible(p.Version))
		}
		for _, line := range done.Document.Notes {
			c.say(visible(line))
		}
	}
	if _, err := c.Out.WriteString(b.String()); err != nil {
		return err
	}
	return unitProblems(done.Problems)
}

// unitProblems returns failures of units as an error, nil without any.
func unitProblems(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\ntreewright: "))
}

// ofMachine returns the error of a verb for machines. On a builder it describes the alternative.
func (c *command) ofMachine(err error) error {
	if errors.Is(err, added.ErrNoDeployment) && build.IsTree(c.options.dir) && findVerb("extend") != nil {
		return diag.Hostf("%s", c.told(fmt.Sprintf("%v; on a builder, `./build extend` makes images of packages, which machines add", err)))
	}
	return err
}

// dir is the absolute path of the bundle, "" without one.
func (o *addOptions) dir() (string, error) {
	if o.bundle == "" {
		return "", nil
	}
	return filepath.Abs(o.bundle)
}
