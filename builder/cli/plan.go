package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/distro"
)

var planVerb = &verb{
	name: "plan", args: "FLAVOUR", summary: "list a flavour's steps: key, state, and why one must run",
	example: "./build plan debian-trixie-amd64-ostree",
	details: `Lists the steps in the order in which they are planned. A step is "cached" if
its result is in the cache, "remote" if the remote cache has it, "to run" if it
must run, "not needed" if the results that depend on it are in one of the caches
already.

If there are several sources of packages, they are listed with their pins, and
with them the packages that came from another one than the distribution's own.`,
	complete: "flavours", run: planning.run, flags: planning.flags,
}

// planning has the options of plan.
var planning planOptions

type planOptions struct{ format string }

func (o *planOptions) flags(f *pflag.FlagSet, common *options) {
	planFlags(f, common)
	formatVar(f, &o.format)
}

// planJSON is a plan for programs.
type planJSON struct {
	Steps   []build.Step      `json:"steps"`
	Sources []build.SourceUse `json:"sources"`
	// Elsewhere has the packages that came from another source than the
	// distribution's own.
	Elsewhere []chosenJSON `json:"elsewhere"`
}

// chosenJSON is a package and where it was chosen from.
type chosenJSON struct {
	distro.Package
	Source string `json:"source"`
	Suite  string `json:"suite,omitempty"`
}

func elsewhereJSON(p *build.Prepared) []chosenJSON {
	list := []chosenJSON{}
	for _, a := range p.Elsewhere() {
		list = append(list, chosenJSON{a.Package, a.Source, a.Suite})
	}
	return list
}

// orNone is a list that JSON has as [] if it is empty.
func orNone[T any](list []T) []T { return append([]T{}, list...) }

// planned prepares the one flavour that was named and tells its steps' states.
func planned(ctx context.Context, c *command) (*build.Prepared, []build.Step, error) {
	if len(c.args) != 1 {
		return nil, nil, lists(usagef("%s takes one flavour", c.verb.name))
	}
	remarks := c.remarks()
	p, err := c.prepare(ctx, c.args[0], remarks)
	if err != nil {
		return nil, nil, err
	}
	// Steps whose results are damaged are reported beside the plan.
	steps, err := c.builder.Plan(ctx, p, remarks)
	return p, steps, err
}

func (o *planOptions) run(ctx context.Context, c *command) error {
	p, steps, err := planned(ctx, c)
	if err != nil {
		return err
	}
	if o.format == "json" {
		return writeJSON(c.Out, planJSON{steps, orNone(p.Sources()), elsewhereJSON(p)})
	}
	t := table{head: []string{"STEP", "KEY", "STATE", "AFTER", "REASON"}, below: []string{"AFTER", "REASON", "KEY"}}
	count := map[build.State]int{}
	for _, s := range steps {
		count[s.State]++
		after := strings.Join(s.Needs, " ")
		if after == "" {
			after = "-"
		}
		t.add(s.ID, s.Key[:12], string(s.State), after, s.Reason)
	}
	if err := t.write(c.Out, c.width()); err != nil {
		return err
	}
	if err := writeSources(c.Out, p, c.width()); err != nil {
		return err
	}
	remote := ""
	if n := count[build.Remote]; n > 0 {
		remote = fmt.Sprintf("%d remote, ", n)
	}
	fmt.Fprintf(c.Out, "\n%d to run, %d cached, %s%d not needed\n", count[build.ToRun], count[build.Cached], remote, count[build.NotNeeded])
	return nil
}

// writeSources lists the sources of packages, if there are several, and what was not
// chosen from the distribution's own.
func writeSources(out io.Writer, p *build.Prepared, width int) error {
	sources := p.Sources()
	if len(sources) < 2 && len(p.Elsewhere()) == 0 {
		return nil
	}
	t := table{
		head:  []string{"SOURCE", "SUITE", "CHOSEN", "PRIORITY", "ONLY", "RELEASE", "URL"},
		below: []string{"URL", "ONLY", "RELEASE", "PRIORITY"},
	}
	for _, s := range sources {
		priority, only := "-", "-"
		if s.Priority != 0 {
			priority = strconv.Itoa(s.Priority)
		}
		if len(s.Patterns) > 0 {
			only = strings.Join(s.Patterns, " ")
		}
		t.add(s.Name, s.Suite, strconv.Itoa(s.Chosen), priority, only, s.Release[:12], s.URL)
	}
	fmt.Fprintln(out)
	if err := t.write(out, width); err != nil || len(p.Elsewhere()) == 0 {
		return err
	}
	t = table{head: []string{"PACKAGE", "VERSION", "SOURCE", "SUITE"}, below: []string{"SUITE", "SOURCE"}}
	for _, a := range p.Elsewhere() {
		t.add(a.Name, a.Version, a.Source, a.Suite)
	}
	fmt.Fprintln(out)
	return t.write(out, width)
}
