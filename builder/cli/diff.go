package cli

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/difference"
)

var diffVerb = &verb{
	name: "diff", args: "BEFORE AFTER", summary: "compare two commits, builds or locks",
	example: "./build diff debian/testing/amd64^ debian/testing/amd64\n./build diff https://example.org/repo debian-testing-amd64-ostree",
	details: `BEFORE and AFTER are each a flavour (its last published build); a ref, a commit or
the beginning of one in a published repository, with ^ for its parent; or the
path of a repository, output directory, manifest.json or lock file. A URL of a
repository can be given as well. REPOSITORY#REF is a ref or commit of one.
Shows packages with their changelogs, files, units, accounts, sockets, sizes.`,
	complete: "compared, compared", run: comparing.run, flags: comparing.flags,
}

// comparing has the options of diff.
var comparing diffOptions

type diffOptions struct {
	format   string
	repo     string
	files    bool
	exitCode bool
}

func (o *diffOptions) flags(f *pflag.FlagSet, _ *options) {
	choiceVar(f, &o.format, "format", "text, markdown for a comment on a merge request, or json for programs", "text", "markdown", "json")
	f.StringVar(&o.repo, "repo", "", "the `DIRECTORY` of the repository that refs and commits are of (default: those that are published)")
	f.BoolVar(&o.files, "files", false, "list all files, not only how many there are of what")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with 5 if anything differs")
}

func (o *diffOptions) run(ctx context.Context, c *command) error {
	if len(c.args) != 2 {
		return usagef("diff takes two systems: flavours, refs, commits, paths or URLs")
	}
	d, err := c.builder.Diff(ctx, build.DiffOptions{Before: c.args[0], After: c.args[1], Repo: o.repo}, c.remarks())
	if err != nil {
		return err
	}
	look := difference.Look{Files: o.files, Width: c.width()}
	switch o.format {
	case "json":
		err = writeJSON(c.Out, d)
	case "markdown":
		_, err = c.Out.WriteString(d.Markdown(look))
	default:
		_, err = c.Out.WriteString(d.Text(look))
	}
	if err == nil && o.exitCode && !d.Same {
		return &diag.Ended{Status: exitDiffers} // the output is all there is to know
	}
	return err
}
