package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
)

var whyVerb = &verb{
	name: "why", args: "FLAVOUR feature FEATURE|package PACKAGE|file PATH|step STEP|size", summary: "explain why a feature, package or file is there",
	example: "./build why debian-trixie-amd64-ostree /etc/hostname\n./build why debian-trixie-amd64-ostree package libssl3t64\n./build why debian-trixie-amd64-ostree size --top 5",
	details: `feature: what includes it, and what it adds. package: which trees have it, from
which source, and which line or package asks for it. file: which steps made it,
the oldest first, and where the commit has it; PATH is as packages and features
see it (/etc/..., not /usr/etc/...). step: what changed in its key since the last
build. size: the bytes of the tree by feature, package and directory.

A path or a package may be given without the word in front of it.`,
	complete: "flavours, why, named", flags: explaining.flags, run: explaining.run,
}

// explaining has the options of why.
var explaining whyOptions

type whyOptions struct {
	format string
	top    int
}

func (o *whyOptions) flags(f *pflag.FlagSet, common *options) {
	planFlags(f, common)
	formatVar(f, &o.format)
	o.top = 15
	f.Var(amount{&o.top, 1, "a number of rows"}, "top", "of size: how many features, packages and directories are listed in text")
}

// whyKinds are what why explains, and what each one takes.
var whyKinds = []struct {
	name, takes string
	run         func(ctx context.Context, c *command, what string) error
}{
	{"feature", "the name of a feature", explaining.feature},
	{"package", "the name of a package", explaining.pkg},
	{"file", "an absolute path", explaining.file},
	{"step", "the ID of a step", explaining.step},
	{"size", "", explaining.size},
}

const whyTakes = "why takes a flavour, and an absolute path or a package, or one of feature, package, file, step and size"

func (o *whyOptions) run(ctx context.Context, c *command) error {
	if len(c.args) < 2 || len(c.args) > 3 {
		return lists(usagef(whyTakes))
	}
	flavour, word := c.args[0], c.args[1]
	names := []string{}
	for _, k := range whyKinds {
		names = append(names, k.name)
		if k.name != word {
			continue
		}
		switch {
		case len(c.args) == 2 && k.takes != "":
			return usagef("%s takes %s%s", k.name, k.takes, asPackage(flavour, word))
		case len(c.args) == 3 && k.takes == "":
			return usagef("%s takes nothing more, not %q", k.name, c.args[2])
		}
		return k.run(ctx, c, strings.Join(c.args[2:], ""))
	}
	if len(c.args) == 3 {
		return usagef("why explains %s", oneOf(word, names))
	}
	if err := isWhat(flavour, word); err != nil {
		return err
	}
	if strings.HasPrefix(word, "/") {
		return o.file(ctx, c, word)
	}
	return o.pkg(ctx, c, word)
}

// asPackage is a hint at how a package is asked for that is called like something else.
func asPackage(flavour, word string) string {
	if word != "file" {
		return ""
	}
	return fmt.Sprintf("; for the package of that name: why %s package %s", quoted(flavour), word)
}

// inRoot are paths without the first slash.
var inRoot = regexp.MustCompile(`^\.?/?(bin|boot|etc|home|lib|opt|root|run|sbin|srv|usr|var)/`)

// isWhat reports what is wrong with the arguments of why, as far as they show it.
func isWhat(flavour, what string) error {
	if strings.HasPrefix(flavour, "/") && !strings.HasPrefix(what, "/") {
		return usagef("why takes the flavour first, and then the path %s", quoted(flavour))
	}
	w, ok := compose.ParseWant(what)
	if strings.HasPrefix(what, "/") || ok && w.Name == what {
		return nil
	}
	meant := ""
	lower, isName := compose.ParseWant(strings.ToLower(what))
	switch {
	case ok && !inRoot.MatchString(what): // with a version, or a suite
		meant = "; did you mean " + w.Name + "?"
	case strings.Contains(what, "/"):
		meant = "; did you mean " + quoted(filepath.Join("/", what)) + "?"
	case isName && lower.Name == strings.ToLower(what):
		meant = "; did you mean " + lower.Name + "?"
	}
	return usagef("why takes a flavour, and an absolute path or a package; %q is neither%s", what, meant)
}

// quoted is a path as it is typed into a shell, or with escapes if it would do something
// on a terminal.
func quoted(path string) string {
	if strings.ContainsFunc(path, unicode.IsControl) {
		return strconv.Quote(path)
	}
	return sandbox.Quote(path)
}

// print prints an explanation as JSON, or as text.
func (o *whyOptions) print(c *command, value any, text func() string) error {
	if o.format == "json" {
		return writeJSON(c.Out, value)
	}
	_, err := c.Out.WriteString(text())
	return err
}

func (o *whyOptions) feature(ctx context.Context, c *command, name string) error {
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	story, err := c.builder.WhyFeature(s, name)
	if err != nil {
		return err
	}
	return o.print(c, story, func() string { return featureText(story) })
}

func featureText(s *build.FeatureStory) string {
	var b strings.Builder
	what := string(s.Type)
	if s.Stage != "" {
		what += ", stage " + s.Stage
	}
	if len(s.Extensions) > 0 {
		what += ", in extension " + strings.Join(s.Extensions, ", ")
	}
	fmt.Fprintf(&b, "%s  (%s)  %s\n", s.Name, what, s.Directory)
	for _, chain := range s.Chains {
		b.WriteString("\nBecause\n")
		var rows []shownRow
		for i, link := range chain {
			value := "includes " + link.Name
			by := "the flavour"
			if i > 0 {
				by = chain[i-1].Name
			}
			rows = append(rows, shownRow{by, []string{value}, link.Place})
		}
		b.WriteString(layout(rows))
	}
	section := func(title string, rows []shownRow) {
		if len(rows) > 0 {
			b.WriteString("\n" + title + "\n" + layout(rows))
		}
	}
	var packages, files, steps []shownRow
	for _, p := range s.Packages {
		name := p.Package
		if p.For != "" {
			name += " (" + p.For + ")"
		}
		packages = append(packages, shownRow{name, nil, p.Place})
	}
	for _, f := range s.Files {
		files = append(files, shownRow{visible(f.Path), nil, visible(f.Place)})
	}
	for _, id := range s.Steps {
		steps = append(steps, shownRow{id, nil, ""})
	}
	section("Packages that it asks for", packages)
	section("Files", files)
	section("Steps", steps)
	return b.String()
}

// visible is a text of somebody else, see [diag.Visible].
func visible(text string) string { return diag.Visible(text) }

func (o *whyOptions) step(ctx context.Context, c *command, id string) error {
	remarks := c.remarks()
	p, err := c.prepare(ctx, c.args[0], remarks)
	if err != nil {
		return err
	}
	defer p.Close()
	story, err := c.builder.WhyStep(ctx, p, id, remarks)
	if err != nil {
		return err
	}
	return o.print(c, story, func() string { return stepText(story) })
}

func stepText(s *build.StepStory) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n  key %s, %s\n", s.ID, s.Title, s.Key[:12], s.State)
	switch {
	case !s.Built:
		b.WriteString("There was no finished build here, so nothing is known of an earlier key.\n")
	case len(s.Changes) == 0:
		b.WriteString("Nothing in its key changed since the last finished build.\n")
		if s.State == build.ToRun {
			b.WriteString("It must run because the cache does not have its result any more.\n")
		}
	default:
		b.WriteString("Since the last finished build:\n")
		writeChanges(&b, s.Changes)
	}
	for _, cause := range s.Causes {
		fmt.Fprintf(&b, "which follows from %s:\n", cause.Step)
		writeChanges(&b, cause.Changes)
	}
	return b.String()
}

// mostDetails is how many lines there are of one change.
const mostDetails = 12

func writeChanges(b *strings.Builder, changes []build.KeyChange) {
	for _, change := range changes {
		fmt.Fprintf(b, "  %s\n", visible(change.Text))
		for _, line := range change.Details[:min(mostDetails, len(change.Details))] {
			fmt.Fprintf(b, "    %s\n", visible(line))
		}
		if more := len(change.Details) - mostDetails; more > 0 {
			fmt.Fprintf(b, "    and %d more\n", more)
		}
	}
}

// whyNames are the words that can follow a kind of why.
func (c *command) whyNames(kind, typed string) []string {
	switch kind {
	case "feature":
		return c.builder.FeatureNames()
	case "file":
		return c.builder.PathNames(c.args[0], typed)
	case "step":
		return c.builder.StepNames(c.args[0])
	}
	return nil
}

// whyWords are the words that can follow the flavour.
func (c *command) whyWords(typed string) []string {
	if strings.HasPrefix(typed, "/") {
		return c.builder.PathNames(c.args[0], typed)
	}
	var words []string
	for _, k := range whyKinds {
		words = append(words, k.name)
	}
	return slices.Concat(words, []string{"/"})
}
