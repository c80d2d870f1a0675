package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/cves"
	"github.com/treewright/treewright/builder/diag"
)

var cvesVerb = &verb{
	name: "cves", args: "FLAVOUR", summary: "list known security faults of what was built",
	example: "./build cves debian-trixie-amd64-ostree --db tracker.json\n./build cves --bom small.cdx.json --format json",
	details: `Compares the bills of materials of the last build, or those given with --bom, with
the data of Debian's security tracker. A fault is "fixed" if there is an update to
the version shown, "open" if there is none, "ignored" if the file cves.yaml of the
tree gives a reason, or "undetermined" if the tracker does not know yet.

The exit status is 1 if there are fixed or open faults. With --fixed-only it is 1 only
if an update is there.`,
	complete: "flavours", run: tracking.run, flags: tracking.flags,
}

// tracking has the options of cves.
var tracking cvesOptions

type cvesOptions struct {
	data, release, least, format string
	bills                        []string
	fixedOnly                    bool
}

// usualUrgency is that below which faults are left out unless asked for.
const usualUrgency = "low"

func (o *cvesOptions) flags(f *pflag.FlagSet, _ *options) {
	f.StringVar(&o.data, "db", "", "the tracker's data, `FILE|URL` (default: https://security-tracker.debian.org/tracker/data/json)")
	f.StringArrayVar(&o.bills, "bom", nil, "a `FILE` with a bill of materials in CycloneDX, in place of those of the last build; may be repeated")
	f.StringVar(&o.release, "release", "", "the `CODENAME` of the release, such as trixie (default: the one in the bill of materials)")
	others := slices.DeleteFunc(cves.Urgencies(), func(u string) bool { return u == usualUrgency })
	choiceVar(f, &o.least, "min-urgency", "leave out faults of less urgency, as far as the tracker has one", append([]string{usualUrgency}, others...)...)
	f.BoolVar(&o.fixedOnly, "fixed-only", false, "list only faults that an update fixes")
	formatVar(f, &o.format)
}

func (o *cvesOptions) run(ctx context.Context, c *command) error {
	if len(c.args) > 1 || len(c.args) == 0 && len(o.bills) == 0 {
		return lists(usagef("name one flavour, or a file with --bom"))
	}
	q := build.CVERequest{Bills: o.bills, Data: o.data, Release: o.release, Least: o.least, Day: build.Today()}
	if len(c.args) == 1 {
		s, err := c.subject(ctx, c.args[0])
		if err != nil {
			return err
		}
		q.Subject = s
	}
	r, err := c.builder.CVEs(ctx, q, c.remarks())
	if err != nil {
		return err
	}
	if len(r.Warnings) > 0 {
		c.diagnostics(&config.Project{Files: r.Files}, r.Warnings)
	}
	if o.fixedOnly {
		r.Findings = slices.DeleteFunc(r.Findings, func(f cves.Finding) bool { return f.State != cves.Fixed })
	}
	if o.format == "json" {
		if err := writeJSON(c.Out, r); err != nil {
			return err
		}
	} else if err := cvesText(c, r); err != nil {
		return err
	}
	if r.Failing(o.fixedOnly) {
		return &diag.Ended{Status: exitFailed}
	}
	return nil
}

// cvesText prints a report for people.
func cvesText(c *command, r *build.CVEReport) error {
	t := table{head: []string{"STATE", "FAULT", "URGENCY", "IN", "SOURCE", "VERSION", "UPDATE TO", "WHY"}, below: []string{"WHY", "IN"}}
	for _, f := range r.Findings {
		why := f.Reason
		if f.Until != "" {
			why += " (until " + f.Until + ")"
		}
		if why == "" && f.Remark != "" {
			why = "the tracker: " + f.Remark
		}
		t.add(string(f.State), visible(f.ID), visible(f.Urgency), visible(f.Part), visible(f.Source), visible(f.Version), dash(visible(f.FixedIn)), dash(visible(why)))
	}
	if len(t.rows) > 0 {
		if err := t.write(c.Out, c.width()); err != nil {
			return err
		}
		fmt.Fprintln(c.Out)
	}
	fmt.Fprintf(c.Out, "%s of %s: %d fixed by updates, %d open, %d undetermined, %d ignored", diag.Counted(r.Packages, "package"), r.Release,
		r.Counts[string(cves.Fixed)], r.Counts[string(cves.Open)], r.Counts[string(cves.Undetermined)], r.Counts[string(cves.Ignored)])
	if r.Below > 0 {
		fmt.Fprintf(c.Out, "; %d of less urgency are not listed", r.Below)
	}
	fmt.Fprintln(c.Out)
	if len(r.LeftOut) > 0 {
		var from []string
		for _, vendor := range slices.Sorted(maps.Keys(r.LeftOut)) {
			from = append(from, fmt.Sprintf("%d from %s", r.LeftOut[vendor], visible(vendor)))
		}
		fmt.Fprintf(c.Out, "not looked up, because the tracker is not about them: %s\n", strings.Join(from, ", "))
	}
	return nil
}

// dash returns the text of a cell, "-" if that is empty.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
