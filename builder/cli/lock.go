package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/lock"
)

var lockVerb = &verb{
	name: "lock", args: "FLAVOUR...", summary: "pin the packages that a flavour is built from",
	example: "./build lock debian-testing-amd64-ostree\n./build lock --update debian-testing-amd64-ostree openssl libssl3t64",
	details: `Writes flavours/NAME.lock.json: every package of every list that the plan
resolves, with its version and SHA-256. From then on the flavour is built from
these packages.

If there is a lock, what it has stays as it is, and only what the flavour asks
for and the lock lacks is resolved. With --update, all packages take the versions
that the sources have now; with names of packages after the flavour, only these,
and what they need. The differences are printed before the file is written.`,
	complete: "flavours...", run: locking.run, flags: locking.flags,
}

// locking has the options of lock.
var locking lockOptions

type lockOptions struct{ update, check bool }

func (o *lockOptions) flags(f *pflag.FlagSet, _ *options) {
	f.BoolVar(&o.update, "update", false, "take the versions that the sources have now: of all packages, or of those named after one flavour")
	f.BoolVar(&o.check, "check", false, "write nothing; the exit status is 1 if a lock is missing or would change")
}

func (o *lockOptions) run(ctx context.Context, c *command) error {
	if len(c.args) == 0 {
		return lists(usagef("name a flavour to lock"))
	}
	flavours, names := c.args, []string(nil)
	if o.update {
		flavours, names = c.args[:1], c.args[1:]
		if i := slices.IndexFunc(names, func(n string) bool { return slices.Contains(c.builder.FlavourNames(), n) }); i >= 0 {
			return usagef("lock --update takes one flavour, and then names of packages; %q is a flavour as well", names[i])
		}
	}
	differs := false
	for _, name := range flavours {
		s, err := c.subject(ctx, name)
		if err != nil {
			return err
		}
		n, err := c.builder.MakeLock(ctx, s, build.LockRequest{Update: o.update, Names: names}, c.remarks())
		if err != nil {
			return err
		}
		if err := c.lockChanges(n); err != nil {
			return err
		}
		differs = differs || !n.Current()
		if o.check || n.Current() {
			continue
		}
		if err := n.Write(); err != nil {
			return err
		}
	}
	if o.check && differs {
		return &diag.Ended{Status: exitFailed}
	}
	return nil
}

// lockChanges prints how a lock differs from the one in its file.
func (c *command) lockChanges(n *build.NewLock) error {
	all := fmt.Sprintf("%s in %s", diag.Counted(len(n.After.Packages), "package"), diag.Counted(len(n.After.Lists), "list"))
	switch {
	case n.Current():
		fmt.Fprintf(c.Out, "%s: current, %s, %s\n", n.Path, all, build.LockAge(n.After, time.Now()))
		return nil
	case n.Before == nil:
		fmt.Fprintf(c.Out, "%s: new, %s, %s\n", n.Path, all, build.LockAge(n.After, time.Now()))
		return nil
	}
	if err := writeMoves(c, n.Changes); err != nil {
		return err
	}
	if len(n.Needed) > 0 {
		fmt.Fprintf(c.Out, "these had to change as well, because others need it: %s\n", strings.Join(n.Needed, " "))
	}
	security := 0
	for _, change := range n.Changes {
		if change.Security() {
			security++
		}
	}
	fmt.Fprintf(c.Out, "%s: %s, %d of them from security updates; %s, %s\n", n.Path, diag.Counted(len(n.Changes), "change"), security, all, build.LockAge(n.After, time.Now()))
	return nil
}

// writeMoves lists packages that differ.
func writeMoves(c *command, changes []lock.Change) error {
	if len(changes) == 0 {
		return nil
	}
	t := table{head: []string{"PACKAGE", "LOCKED", "NEW", "SOURCE", "LISTS"}, below: []string{"LISTS", "SOURCE"}}
	for _, change := range changes {
		before, after, source := "-", "-", "-"
		if change.Before != nil {
			before = change.Before.Version
		}
		if change.After != nil {
			after, source = change.After.Version, change.After.Source+" "+change.After.Suite
			if change.Before != nil && before == after {
				after += " (another file)"
			}
		}
		if change.Security() {
			source += " (security)"
		}
		t.add(change.Name, before, after, strings.TrimSpace(source), strings.Join(change.Lists, " "))
	}
	return t.write(c.Out, c.width())
}
