package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
)

var extendVerb = &verb{
	name: "extend", args: "FLAVOUR|COMMIT PACKAGE...", summary: "make an image that adds packages to a published commit",
	example: "./build extend debian-testing-amd64-ostree jq tcpdump\n./build extend 4f8a1c2e redis-server",
	details: `Makes a system extension of packages for one published commit: the newest one of a
flavour, or the one with the checksum that is given, which can be abbreviated. The
commit's tree is read from its repository. Packages of the commit keep their
versions. If that is impossible, the error names the packages that are in the way.

The image, the list of what is in it and, for a flavour that is signed, a signature
are in .build/FLAVOUR/extend/, from where machines get them; see docs/packages.md.`,
	complete: "flavours", flags: extending.flags, run: extending.run,
}

// extending has the options of extend.
var extending extendOptions

type extendOptions struct{ format string }

func (o *extendOptions) flags(f *pflag.FlagSet, common *options) {
	runFlags(f, common)
	signFlags(f, common)
	traceFlag(f, common)
	formatVar(f, &o.format)
}

func (o *extendOptions) run(ctx context.Context, c *command) error {
	if len(c.args) == 0 {
		return lists(usagef("name a flavour or a commit, and the packages to add to it"))
	}
	if len(c.args) == 1 {
		return usagef("name the packages to add to %s", c.args[0])
	}
	request := build.ExtendRequest{Packages: c.args[1:]}
	for _, name := range request.Packages {
		if err := extend.CheckName(name); err != nil {
			return usagef("%v", err)
		}
	}
	project, err := c.load(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == c.args[0] }) {
		request.Flavour = c.args[0]
	} else if request.Commit = c.args[0]; !isCommit(request.Commit) {
		_, err := c.resolve(ctx, project, c.args[0])
		return err
	}
	sink, err := c.sink()
	if err != nil {
		return err
	}
	request.Sink = withoutResults{sink, ctx}
	made, err := c.builder.Extend(ctx, request)
	if cerr := sink.Close(); err == nil {
		err = cerr
	}
	var failure *extend.Failure
	if errors.As(err, &failure) && failure.Requested() {
		return usagef("%s", failure.Text)
	}
	if err != nil {
		return err
	}
	if o.format == "json" {
		return writeJSON(c.Out, made)
	}
	_, err = c.Out.WriteString(extendedText(made))
	return err
}

// isCommit reports whether a text can be the beginning of a commit's checksum. It has more digits than a name is
// likely to have by chance.
func isCommit(text string) bool {
	const fewest = 4
	return len(text) >= fewest && len(text) <= 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// extendedText is the result for people.
func extendedText(e *build.Extended) string {
	var b strings.Builder
	d := e.Document
	fmt.Fprintf(&b, "  %s  %s\n", build.Shown(e.Image), event.FormatBytes(d.Size))
	if len(d.Added) == 0 {
		fmt.Fprintf(&b, "  adds nothing to commit %.12s of %s\n", d.Commit, e.Flavour)
	} else {
		fmt.Fprintf(&b, "  adds to commit %.12s of %s:\n", d.Commit, e.Flavour)
	}
	for _, p := range d.Added {
		asked := ""
		if slices.Contains(d.Packages, p.Name) {
			asked = "  (asked for)"
		}
		fmt.Fprintf(&b, "    %s %s%s\n", p.Name, p.Version, asked)
	}
	if !e.Signed {
		b.WriteString("  unsigned: machines cannot check who made it; see the block sign in docs/flavours.md\n")
	}
	return b.String()
}
