package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/verify"
)

var verifyVerb = &verb{
	name: "verify", args: "FLAVOUR", summary: "build a flavour again, in other surroundings, and compare",
	example: "./build verify debian-trixie-amd64-ostree\n./build verify debian-trixie-amd64-ostree --against https://example.org/os",
	details: `Builds the flavour from the packages of its last build, and then once more with an
empty cache, in another directory, with another umask, locale, time zone, user name,
host name, number of processors and of steps at a time, and another order of
directory entries. All artifacts are compared. Of what differs, it shows the
bytes, the step that it begins with, its feature, and what that step depends on.
It exits with 5 if anything differs. Nothing is published.`,
	complete: "flavours", flags: verifying.flags, run: verifying.run,
}

// verifyExecVerb is the other process of verify.
var verifyExecVerb = &verb{
	name: verify.ExecVerb, hidden: true, verbatim: true, summary: "build again as described on file descriptor 3",
	run: func(ctx context.Context, _ *command) error {
		return verify.Exec(ctx, os.NewFile(3, "request"), os.NewFile(4, "reply"))
	},
}

// verifying has the options of verify.
var verifying verifyOptions

type verifyOptions struct {
	format, against string
	download, keep  bool
}

func (o *verifyOptions) flags(f *pflag.FlagSet, common *options) {
	runFlags(f, common)
	formatVar(f, &o.format)
	f.StringVar(&o.against, "against", "", "compare also with what is published at a `URL` or in a directory: the one with SHA256SUMS")
	f.BoolVar(&o.download, "download", false, "download the packages again for the second build (default: both have the same files, whose SHA-256 each checks)")
	f.BoolVar(&o.keep, "keep", false, "keep both outputs, and print where they are")
}

func (o *verifyOptions) run(ctx context.Context, c *command) error {
	if len(c.args) != 1 {
		return lists(usagef("verify takes one flavour"))
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	if s.LockFile == "" { // a cname
		return lists(usagef("verify takes a flavour, and %q is not one", s.Name))
	}
	if err := c.builder.CheckSecrets(ctx, s); err != nil {
		return err
	}
	var published *verify.Published
	if o.against != "" {
		// Before anything is built, because it may not exist.
		if published, err = verify.ReadPublished(ctx, o.against); err != nil {
			return err
		}
	}
	sink, err := c.sink()
	if err != nil {
		return err
	}
	c.options.current = s.Name
	result, err := verify.Run(ctx, verify.Options{
		Builder: c.builder, Subject: s, Sink: withoutResults{sink, ctx}, Progress: c.options.progress, Verbose: c.options.verbose, Errors: c.Err.File,
		Download: o.download, Keep: o.keep, Against: published,
	})
	if cerr := sink.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return o.print(c, result)
}

// print prints the result. The error is that something differs.
func (o *verifyOptions) print(c *command, r *verify.Result) error {
	if o.format == "json" {
		if err := writeJSON(c.Out, r); err != nil {
			return err
		}
	} else if _, err := c.Out.WriteString(verifyText(r)); err != nil {
		return err
	}
	switch {
	case !r.Same:
		return &differs{r.Flavour + " is not reproducible: what was built twice differs"}
	case r.Published != nil && !r.Published.Same:
		return &differs{r.Flavour + " is not what is published at " + event.Mask(r.Published.Where)}
	}
	return nil
}

// differs is the error of a comparison that found a difference.
type differs struct{ text string }

func (d *differs) Error() string { return d.text }

// verifyText is the result for people.
func verifyText(r *verify.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nPackages are from %s.\n\nWhat was changed for the second build\n", r.Flavour, r.Packages)
	var rows []shownRow
	for _, p := range r.Perturbed {
		value := visible(p.First) + " -> " + visible(p.Second)
		if p.Second == "" {
			value = "not changed: " + p.Reason
		}
		rows = append(rows, shownRow{p.What, []string{value}, ""})
	}
	b.WriteString(layout(rows) + "\nArtifacts\n")
	for _, a := range r.Artifacts {
		state := "same"
		if !a.Same {
			state = "DIFFERS"
		}
		fmt.Fprintf(&b, "  %-7s  %s\n", state, visible(a.Name))
		for _, f := range a.Files {
			at := ""
			if f.Path != "." {
				at = visible(f.Path) + " "
			}
			fmt.Fprintf(&b, "             %s%s\n", at, visible(f.How))
		}
		if a.More > 0 {
			fmt.Fprintf(&b, "             and %d more\n", a.More)
		}
	}
	for _, id := range r.Replanned {
		fmt.Fprintf(&b, "\nStep %s has another key in the second build.\n", id)
	}
	for _, origin := range r.Origins {
		writeOrigin(&b, r.Flavour, &origin)
	}
	if r.Published != nil {
		writePublished(&b, r.Published)
	}
	if r.Kept != "" {
		fmt.Fprintf(&b, "\nBoth outputs are in %s\n", r.Kept)
	}
	if r.Same {
		fmt.Fprintf(&b, "\n%d artifacts are the same, bit by bit (%s, then %s)\n", len(r.Artifacts), r.First.Round(time.Second), r.Second.Round(time.Second))
	}
	return b.String()
}

// causes are the sentences that are printed for causes.
var causes = map[verify.Cause]string{
	verify.EachRun:     "Its result is another one each time, even if nothing is changed: it uses a clock, random numbers, or the order in which processes run.",
	verify.Time:        "Its result is another one at another time: it uses a clock.",
	verify.Processors:  "Its result is another one with another number of processors.",
	verify.FileSystem:  "Its result is another one on another file system: it uses the order of directory entries.",
	verify.Elsewhere:   "Its result is another one for another user, locale, umask or host name.",
	verify.Together:    "No single change makes a difference; several together do.",
	verify.NotRepeated: "It was not tried alone.",
}

// writeOrigin describes a step that a difference begins with.
func writeOrigin(b *strings.Builder, flavour string, o *verify.Origin) {
	fmt.Fprintf(b, "\nIt begins with step %s: %s\n", o.Step, o.Title)
	if o.Feature != "" {
		fmt.Fprintf(b, "  feature %s, %s\n", o.Feature, o.From)
	}
	fmt.Fprintf(b, "  %s\n", causes[o.Cause])
	for _, f := range o.Files {
		fmt.Fprintf(b, "    %s: %s", visible("/"+f.Path), strings.Join(f.What, ", "))
		if f.Was+f.Is != "" {
			fmt.Fprintf(b, " (%s, then %s)", visible(f.Was), visible(f.Is))
		}
		if f.Bytes != nil {
			fmt.Fprintf(b, "\n      %s", f.Bytes)
		}
		b.WriteString("\n")
		for line := range strings.Lines(f.Diffoscope) {
			b.WriteString("      " + visible(strings.TrimRight(line, "\n")) + "\n")
		}
	}
	if o.More > 0 {
		fmt.Fprintf(b, "    and %d more\n", o.More)
	}
	fmt.Fprintf(b, "  look inside: ./build shell %s %s\n", flavour, sandbox.Quote(o.Step))
}

// writePublished shows how the build differs from what is published.
func writePublished(b *strings.Builder, p *verify.Against) {
	fmt.Fprintf(b, "\nCompared with %s\n", visible(event.Mask(p.Where)))
	for _, a := range p.Artifacts {
		fmt.Fprintf(b, "  %-13s  %s\n", a.State, visible(a.Name))
	}
	for _, line := range p.Reasons {
		fmt.Fprintf(b, "  %s\n", visible(line))
	}
}
