package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/lock"
)

var outdatedVerb = &verb{
	name: "outdated", args: "FLAVOUR", summary: "list what the sources have in newer versions than a lock",
	example: "./build outdated debian-testing-amd64-ostree",
	details: `Compares the lock of a flavour with what would be locked now. Packages from
security updates come first. Nothing is written. The exit status is 1 if
anything differs.`,
	complete: "flavours", run: dated.run, flags: dated.flags,
}

// dated has the options of outdated.
var dated outdatedOptions

type outdatedOptions struct{ format string }

func (o *outdatedOptions) flags(f *pflag.FlagSet, _ *options) { formatVar(f, &o.format) }

// outdatedJSON is the difference for programs.
type outdatedJSON struct {
	Lock string `json:"lock"`
	// Date is that of the newest release file of the lock.
	Date     time.Time        `json:"date,omitzero"`
	Packages []outdatedChange `json:"packages"`
}

type outdatedChange struct {
	Name string `json:"name"`
	// Locked and New are versions, "" where there is none.
	Locked   string   `json:"locked,omitempty"`
	New      string   `json:"new,omitempty"`
	Source   string   `json:"source,omitempty"`
	Suite    string   `json:"suite,omitempty"`
	Security bool     `json:"security"`
	Lists    []string `json:"lists"`
}

func (o *outdatedOptions) run(ctx context.Context, c *command) error {
	if len(c.args) != 1 {
		return lists(usagef("outdated takes one flavour"))
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	before, err := c.builder.ReadLock(s)
	if err != nil {
		return err
	}
	if before == nil && s.LockFile != "" {
		return diag.Suggest(diag.Requestf("%q has no lock, so its packages are always those that the sources have now", s.Name), "lock "+s.Name, "makes one")
	}
	n, err := c.builder.MakeLock(ctx, s, build.LockRequest{Update: true}, c.remarks())
	if err != nil {
		return err
	}
	if o.format == "json" {
		err = writeJSON(c.Out, outdatedJSON{n.Path, before.Date(), outdatedChanges(n.Changes)})
	} else if err = writeMoves(c, n.Changes); err == nil {
		fmt.Fprintf(c.Out, "%s: %s, %s\n", n.Path, diag.Counted(len(n.Changes), "change"), build.LockAge(before, time.Now()))
	}
	if err == nil && len(n.Changes) > 0 {
		err = &diag.Ended{Status: exitFailed}
	}
	return err
}

func outdatedChanges(changes []lock.Change) []outdatedChange {
	out := []outdatedChange{}
	for _, change := range changes {
		one := outdatedChange{Name: change.Name, Security: change.Security(), Lists: change.Lists}
		if change.Before != nil {
			one.Locked = change.Before.Version
		}
		if p := change.After; p != nil {
			one.New, one.Source, one.Suite = p.Version, p.Source, p.Suite
		}
		out = append(out, one)
	}
	return out
}
