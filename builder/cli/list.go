package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/rules"
)

var listVerb = &verb{
	name: "list", args: "[flavours|features]", summary: "show flavours and features with their descriptions",
	complete: "flavours features", run: listing.run, flags: listing.flags,
}

// listing has the options of list.
var listing listOptions

type listOptions struct{ format string }

func (o *listOptions) flags(f *pflag.FlagSet, _ *options) {
	f.StringVar(&o.format, "format", "text", "text, or json for programs")
}

func (o *listOptions) run(_ context.Context, c *command) error {
	what := "all"
	if len(c.args) > 0 {
		what = c.args[0]
	}
	if len(c.args) > 1 || !slices.Contains([]string{"all", "flavours", "features"}, what) {
		return usagef("list takes `flavours`, `features` or nothing")
	}
	published, err := c.builder.Listed()
	if err != nil {
		return err
	}
	project, err := c.load()
	if err != nil {
		return err
	}
	switch o.format {
	case "json":
		return listJSON(c, project, published)
	case "text":
	default:
		return usagef("--format wants text or json, not %q", o.format)
	}
	w := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	if what != "features" && published != nil {
		for _, line := range published.Warnings {
			c.say("warning: " + line)
		}
		for _, row := range append([][]string{published.Columns}, published.Rows...) {
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
		if project.Flavours != nil {
			fmt.Fprintln(w)
		}
	}
	if what != "features" && project.Flavours != nil {
		fmt.Fprintln(w, "FLAVOUR\tSUITE\tARCH\tDESCRIPTION")
		for _, f := range project.Flavours {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Name, f.Distribution.Suite, f.Distribution.Arch, f.Description)
		}
	}
	if what == "all" {
		fmt.Fprintln(w)
	}
	if what != "flavours" {
		fmt.Fprintln(w, "FEATURE\tTYPE\tPARAMETERS\tDESCRIPTION")
		for _, name := range slices.Sorted(maps.Keys(project.Features)) {
			f := project.Features[name]
			var params []string
			for _, p := range f.Parameters {
				params = append(params, p.Name)
			}
			if len(params) == 0 {
				params = []string{"-"}
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, f.Type, strings.Join(params, " "), f.Description)
		}
	}
	return w.Flush()
}

// listed are the fields that list shows to programs.
type listedFlavour struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Family      string   `json:"family"`
	Suite       string   `json:"suite"`
	Arch        string   `json:"arch"`
	Features    []string `json:"features"`
}

type listedFeature struct {
	Name        string             `json:"name"`
	Type        config.FeatureType `json:"type"`
	Stage       string             `json:"stage,omitempty"`
	Description string             `json:"description"`
	Parameters  []string           `json:"parameters"`
}

func listJSON(c *command, p *config.Project, published *rules.Listed) error {
	out := struct {
		Flavours  []listedFlavour `json:"flavours"`
		Published any             `json:"published,omitempty"`
		Features  []listedFeature `json:"features"`
	}{Flavours: []listedFlavour{}, Features: []listedFeature{}}
	if published != nil {
		out.Published = published.Entries
	}
	for _, f := range p.Flavours {
		l := listedFlavour{Name: f.Name, Description: f.Description, Family: f.Distribution.Family, Suite: f.Distribution.Suite, Arch: f.Distribution.Arch}
		for _, ref := range f.Features {
			l.Features = append(l.Features, ref.Name)
		}
		out.Flavours = append(out.Flavours, l)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Features)) {
		f := p.Features[name]
		l := listedFeature{Name: name, Type: f.Type, Stage: f.Stage, Description: f.Description, Parameters: []string{}}
		for _, param := range f.Parameters {
			l.Parameters = append(l.Parameters, param.Name)
		}
		out.Features = append(out.Features, l)
	}
	enc := json.NewEncoder(c.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
