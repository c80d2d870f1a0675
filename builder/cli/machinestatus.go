package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/added"
)

var statusVerb = &verb{
	name: "status", summary: "on a machine: list the packages that were added",
	example: "./build status\n./build status --json",
	details: `Lists what was asked for, and for each commit that the machine can boot the packages
of its image and where that came from, or why there is none, and what to do.`,
	flags: stating.flags, run: stating.run,
}

// stating has the options of status.
var stating statusOptions

type statusOptions struct{ json, prompt bool }

func (o *statusOptions) flags(f *pflag.FlagSet, _ *options) {
	*o = statusOptions{}
	f.BoolVar(&o.json, "json", false, "write JSON, for programs")
	f.BoolVar(&o.prompt, "prompt", false, "write a line if packages are missing, else nothing")
}

func (o *statusOptions) run(ctx context.Context, c *command) error {
	switch {
	case len(c.args) > 0:
		return usagef("status takes no arguments, not %q", c.args[0])
	case o.json && o.prompt:
		return usagef("--json and --prompt contradict each other")
	case o.prompt:
		line, err := c.machine().Hint()
		if err == nil && line != "" {
			_, err = fmt.Fprintln(c.Out, visible(line))
		}
		return err
	}
	s, err := c.machine().Status(ctx)
	if err != nil {
		return c.ofMachine(err)
	}
	if o.json {
		return writeJSON(c.Out, s)
	}
	_, err = c.Out.WriteString(machineText(s))
	return err
}

// machineText returns the status as text.
func machineText(s *added.Status) string {
	var b strings.Builder
	wanted := "nothing"
	if len(s.Wanted) > 0 {
		wanted = strings.Join(s.Wanted, ", ")
	}
	fmt.Fprintf(&b, "added: %s\n", wanted)
	for _, d := range s.Deployments {
		writeDeployment(&b, s, d)
	}
	if h := s.HeldBack; h != nil {
		fmt.Fprintf(&b, "\nThe upgrade to %s was held back at the shutdown of %s:\n  %s\nStage it again when that is solved: ostree admin upgrade --stage\n",
			visible(commitName(h.Version, h.Commit)), h.Time.Format(time.DateTime+" MST"), indented(h.Reason))
	}
	return b.String()
}

// commitName returns the name of a commit for messages.
func commitName(version, commit string) string {
	if version == "" {
		return fmt.Sprintf("commit %.12s", commit)
	}
	return fmt.Sprintf("%s (commit %.12s)", version, commit)
}

// indented returns a text of several lines, indented below another text.
func indented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return strings.Join(lines, "\n  ")
}

func writeDeployment(b *strings.Builder, s *added.Status, d added.DeploymentStatus) {
	fmt.Fprintf(b, "\n%s: %s\n", placeOf(d), visible(commitName(d.Version, d.Commit)))
	if i := d.Image; i != nil {
		merged := ""
		if d.Booted && s.Merged {
			merged = "merged, "
		}
		fmt.Fprintf(b, "  %simage of %.1f MB, from %s\n", merged, float64(i.Size)/1e6, visible(i.From.String()))
		for _, p := range i.Added {
			fmt.Fprintf(b, "  %s %s\n", visible(p.Name), visible(p.Version))
		}
		if lacks := d.Lacks(s.Wanted); d.Booted && len(lacks) > 0 {
			fmt.Fprintf(b, "  without %s, which were added later: treewright add %s\n", strings.Join(lacks, ", "), strings.Join(lacks, " "))
		}
	}
	switch {
	case d.Problem != "":
		fmt.Fprintf(b, "  %s\n", indented(d.Problem))
	case d.Image == nil:
		b.WriteString("  no packages\n")
	}
	if d.Problem != "" && d.Staged && d.Held {
		b.WriteString("  It is not booted before its packages are here; that is tried again every few minutes.\n  To try now: systemctl start treewright-added-follow. To boot it without packages: treewright remove " + strings.Join(s.Wanted, " ") + "\n")
	}
}

// placeOf describes the role of a deployment on the machine.
func placeOf(d added.DeploymentStatus) string {
	switch {
	case d.Booted:
		return "running"
	case d.Staged:
		return "next, staged"
	case d.Pending:
		return "next"
	case d.Rollback:
		return "rollback"
	}
	return "kept"
}
