package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/rules"
)

var showVerb = &verb{
	name: "show", args: "FLAVOUR", summary: "show what a flavour comes to, and where each value is from",
	example: "./build show debian-trixie-amd64-ostree",
	details: `Shows fields, sources of packages, features, parameters, packages that are asked
for, files and artifacts, with the file and line that each comes from. Nothing is
asked of a package archive: plan shows what is installed.`,
	complete: "flavours", run: showing.run, flags: showing.flags,
}

// showing has the options of show.
var showing showOptions

type showOptions struct{ format string }

func (o *showOptions) flags(f *pflag.FlagSet, common *options) {
	addFlags(f, common, rules.Planning)
	formatVar(f, &o.format)
}

func (o *showOptions) run(ctx context.Context, c *command) error {
	if len(c.args) != 1 {
		return lists(usagef("show takes one flavour"))
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	shown, err := c.builder.Show(s)
	if err != nil {
		return err
	}
	if o.format == "json" {
		return writeJSON(c.Out, shown)
	}
	_, err = c.Out.WriteString(showText(shown))
	return err
}

func showText(s *build.Resolved) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(s.Name+"  "+s.Place, " ") + "\n")
	section := func(title string, rows []shownRow) {
		if len(rows) > 0 {
			b.WriteString("\n" + title + "\n" + layout(rows))
		}
	}
	section("Fields", valueRows(s.Fields))
	section("Sources of packages", sourceRows(s.Sources))
	section("Features", featureRows(s.Features))
	for i := 0; i < len(s.Parameters); {
		end := i
		for end < len(s.Parameters) && s.Parameters[end].Feature == s.Parameters[i].Feature {
			end++
		}
		section("Parameters of "+s.Parameters[i].Feature, valueRows(s.Parameters[i:end]))
		i = end
	}
	for i := 0; i < len(s.Packages); {
		what := s.Packages[i].For
		var rows []shownRow
		for ; i < len(s.Packages) && s.Packages[i].For == what; i++ {
			rows = append(rows, shownRow{s.Packages[i].Package, nil, s.Packages[i].Place})
		}
		if what != "" {
			what = ", " + what
		}
		section("Packages asked for"+what, rows)
	}
	section("Content of the flavour", contentRows(s.Content))
	section("Files with a content of their own", fileRows(s.Files))
	section("Artifacts", artifactRows(s.Artifacts))
	var urls []shownRow
	for _, u := range s.URLs {
		urls = append(urls, shownRow{u.Name, []string{u.Value}, u.Place})
	}
	section("URLs", urls)
	return b.String()
}

func valueRows(values []build.ShownValue) []shownRow {
	var rows []shownRow
	for _, v := range values {
		rows = append(rows, shownRow{v.Name, words(v.Value), v.ShownOrigin.String()})
	}
	return rows
}

// words are a value's lines.
func words(value any) []string {
	switch x := value.(type) {
	case string:
		if strings.ContainsFunc(x, func(r rune) bool { return r < ' ' }) || x == "" {
			return []string{config.Written(x)}
		}
		return []string{x}
	case []string:
		if len(x) > 0 {
			return slices.Concat([]string{}, x)
		}
	case []config.Object:
		var lines []string
		for _, object := range x {
			lines = append(lines, config.Written(object))
		}
		if len(lines) > 0 {
			return lines
		}
	default:
		return []string{config.Written(value)}
	}
	return []string{"[]"}
}

func sourceRows(sources []build.ShownSource) []shownRow {
	var rows []shownRow
	for _, s := range sources {
		values := []string{strings.Join(slices.Concat(s.URLs[:1], s.Suites, s.Components), " ")}
		for _, u := range s.URLs[1:] {
			values = append(values, "also at "+u)
		}
		for _, more := range []struct {
			title string
			list  []string
		}{{"architectures", s.Architectures}, {"packages", s.Packages}} {
			if len(more.list) > 0 {
				values = append(values, more.title+" "+strings.Join(more.list, " "))
			}
		}
		if s.Priority != 0 {
			values = append(values, fmt.Sprintf("priority %d", s.Priority))
		}
		if s.Keyring != "" {
			values = append(values, "keyring "+s.Keyring)
		}
		if !s.OnMachine {
			values = append(values, "not on the machine")
		}
		rows = append(rows, shownRow{s.Name, values, s.Place})
	}
	return rows
}

func featureRows(features []build.ShownFeature) []shownRow {
	var rows []shownRow
	for _, f := range features {
		what := string(f.Type)
		if f.Stage != "" {
			what += ", stage " + f.Stage
		}
		if len(f.Extensions) > 0 && f.Type != config.Extension {
			what += ", in extension " + strings.Join(f.Extensions, ", ")
		}
		from := f.Place
		if from == "" && len(f.IncludedBy) > 0 {
			var by []string
			for _, include := range f.IncludedBy {
				by = append(by, include.Name)
			}
			from = "included by " + strings.Join(by, ", ")
		}
		rows = append(rows, shownRow{f.Name, []string{what}, from})
	}
	return rows
}

func contentRows(content []build.ShownContent) []shownRow {
	var rows []shownRow
	for _, c := range content {
		rows = append(rows, shownRow{c.Kind, []string{strings.TrimRight(c.Name+"  "+c.Value, " ")}, c.Place})
	}
	return rows
}

func fileRows(files []build.ShownFile) []shownRow {
	var rows []shownRow
	for _, f := range files {
		rows = append(rows, shownRow{f.Path, nil, f.Place})
	}
	return rows
}

func artifactRows(artifacts []build.ShownArtifact) []shownRow {
	var rows []shownRow
	for _, a := range artifacts {
		rows = append(rows, shownRow{a.Path, nil, a.Description})
	}
	return rows
}
