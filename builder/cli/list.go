package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/rules"
)

var listVerb = &verb{
	name: "list", args: "[flavours|features] [FLAVOUR|PATTERN]...", summary: "show flavours and features with their descriptions",
	example: "./build list features\n./build list 'debian-trixie-*'\n./build list --changed-since origin/main --format names",
	details: `Of a feature, parameters that a flavour has to set are marked by a star. With names
or patterns, which have *, ? and [...] as in a shell, only these flavours are listed.

--changed-since compares the plan of each flavour with the one that it had at a
revision of the git repository that the tree is in. The keys of steps
are compared, so a file that no step reads is not a change. Files that are not
committed count as they are. Packages are those of the lock, of either side; without
a lock, the names that are asked for are compared, so that new packages in the
archive are not a change. It works without a network. New flavours count as changed;
removed ones are named on standard error.`,
	aliases: []string{"ls"}, complete: "listed, flavours...", run: listing.run, flags: listing.flags,
}

// listing has the options of list.
var listing listOptions

type listOptions struct {
	selection
	format string
}

func (o *listOptions) flags(f *pflag.FlagSet, _ *options) {
	choiceVar(f, &o.format, "format", "text, json for programs, or names, each on a line", "text", "json", "names")
	o.sinceFlag(f)
	o.shardFlag(f)
	o.timesFlag(f, shardTimes)
}

// listKinds are the kinds of things that list shows.
var listKinds = []string{"flavours", "features"}

func (o *listOptions) run(ctx context.Context, c *command) error {
	what, patterns := "all", c.args
	if len(c.args) > 0 && slices.Contains(listKinds, c.args[0]) {
		what, patterns = c.args[0], c.args[1:]
	}
	project, err := c.loadAll(ctx)
	if err != nil {
		return err
	}
	var some *chosen
	if len(patterns) > 0 || o.given() || len(o.times) > 0 {
		if what == "features" {
			return usagef("list features takes no names and chooses no flavours")
		}
		if some, err = c.choose(ctx, project, &o.selection, patterns, false); err != nil {
			return meantKind(err, patterns)
		}
		what = "flavours"
		if len(some.names) == 0 {
			c.say(o.nothing())
		}
	}
	lists, err := c.builder.Lists(project)
	if err != nil {
		return err
	}
	if some != nil {
		lists = narrowed(lists, some)
	}
	switch o.format {
	case "json":
		return listJSON(c, project, lists, what, some)
	case "names":
		return listNames(c, project, lists, what)
	}
	if what != "features" {
		if err := c.tables(lists); err != nil {
			return err
		}
	}
	if what == "all" && len(lists) > 0 {
		fmt.Fprintln(c.Out)
	}
	if what != "flavours" {
		return c.featureTable(project)
	}
	return nil
}

// meantKind is an error about the only word of a command line, which may be one of the kinds
// that are listed.
func meantKind(err error, patterns []string) error {
	var usage *diag.Request
	if len(patterns) == 1 && errors.As(err, &usage) {
		if s := meant(patterns[0], listKinds); s != "" {
			return usagef("%v; did you mean `./build list %s`?", usage, s)
		}
	}
	return err
}

// narrowed are the lists of flavours alone, with those that were chosen.
func narrowed(all []*rules.Listed, some *chosen) []*rules.Listed {
	var out []*rules.Listed
	for _, l := range all {
		if l.Name != rules.FlavourList {
			continue
		}
		n := l.Only(func(name string) bool { return slices.Contains(some.names, name) })
		if some.changes != nil {
			last := len(n.Columns) - 1
			n.Columns = slices.Insert(slices.Clone(n.Columns), last, "CHANGED")
			for i, row := range n.Rows {
				n.Rows[i] = slices.Insert(slices.Clone(row), last, some.changes.Changed[row[0]])
			}
		}
		out = append(out, n)
	}
	return out
}

// listNames writes names alone, as scripts want them.
func listNames(c *command, p *config.Project, lists []*rules.Listed, what string) error {
	var names []string
	for _, l := range lists {
		for _, row := range l.Rows {
			if what != "features" {
				names = append(names, row[0])
			}
		}
	}
	if what != "flavours" {
		for _, f := range p.SortedFeatures() {
			names = append(names, f.Name)
		}
	}
	for _, name := range names {
		fmt.Fprintln(c.Out, name)
	}
	return nil
}

// featureTable writes the table of features. It says where they come from if that is
// not the tree alone.
func (c *command) featureTable(p *config.Project) error {
	features, required := p.SortedFeatures(), false
	origins := slices.ContainsFunc(features, func(f *config.Feature) bool { return f.Root != nil })
	row := func(name, kind, from, params, description string) []string {
		if origins {
			return []string{name, kind, from, params, description}
		}
		return []string{name, kind, params, description}
	}
	t := table{head: row("FEATURE", "TYPE", "FROM", "PARAMETERS", "DESCRIPTION"), below: []string{"PARAMETERS", "DESCRIPTION"}}
	for _, f := range features {
		var params []string
		for _, p := range f.Parameters {
			if p.Required {
				p.Name += "*"
				required = true
			}
			params = append(params, p.Name)
		}
		if len(params) == 0 {
			params = []string{"-"}
		}
		t.add(row(f.Name, string(f.Type), originOf(f), strings.Join(params, " "), f.Description)...)
	}
	err := t.write(c.Out, c.width())
	if required {
		fmt.Fprintln(c.Out, "\n* A flavour with the feature has to set the parameter.")
	}
	return err
}

// originOf describes which tree a feature comes from.
func originOf(f *config.Feature) string {
	if f.Root == nil {
		return "tree"
	}
	return f.Root.Name
}

// tables writes lists of what can be built, and what is wrong with them.
func (c *command) tables(lists []*rules.Listed) error {
	for i, l := range lists {
		if i > 0 {
			fmt.Fprintln(c.Out)
		}
		for _, line := range l.Warnings {
			c.say("warning: " + line)
		}
		t := table{head: l.Columns, rows: l.Rows, below: l.Columns[max(0, len(l.Columns)-1):]}
		if err := t.write(c.Out, c.width()); err != nil {
			return err
		}
	}
	return nil
}

// listedFeature is a feature as programs are shown it.
type listedFeature struct {
	Name        string             `json:"name"`
	Type        config.FeatureType `json:"type"`
	Stage       string             `json:"stage,omitempty"`
	From        string             `json:"from"`
	InPlaceOf   []string           `json:"in_place_of,omitempty"`
	Description string             `json:"description"`
	Parameters  []string           `json:"parameters"`
	Declared    []listedParameter  `json:"declared,omitempty"` // more of each parameter
}

type listedParameter struct {
	Name        string               `json:"name"`
	Type        config.ParameterType `json:"type"`
	Description string               `json:"description,omitempty"`
	Required    bool                 `json:"required,omitempty"`
	Default     any                  `json:"default,omitempty"`
	Example     json.RawMessage      `json:"example,omitempty"`
	// Secret reports that the value is the name of a secret.
	Secret bool `json:"secret,omitempty"`
}

func listJSON(c *command, p *config.Project, lists []*rules.Listed, what string, some *chosen) error {
	var out object
	if what != "features" {
		out = object{{"flavours", []string{}}}
		for _, l := range lists {
			if l.Entries != nil {
				out = out.with(l.Name, l.Entries)
			}
		}
	}
	if what != "flavours" {
		out = out.with("features", listedFeatures(p))
	}
	if some != nil && some.changes != nil {
		changed := object{}
		for _, name := range some.names {
			changed = changed.with(name, some.changes.Changed[name])
		}
		out = out.with("changed", changed).with("removed", orNone(some.changes.Removed))
	}
	return writeJSON(c.Out, out)
}

// listedFeatures are all features as programs are shown them.
func listedFeatures(p *config.Project) []listedFeature {
	features := []listedFeature{}
	for _, f := range p.SortedFeatures() {
		l := listedFeature{Name: f.Name, Type: f.Type, Stage: f.Stage, From: originOf(f), Description: f.Description, Parameters: []string{}}
		for _, param := range f.Parameters {
			l.Parameters = append(l.Parameters, param.Name)
			l.Declared = append(l.Declared, listedParameter{param.Name, param.Type, param.Description, param.Required, param.Default, json.RawMessage(param.Example), param.Secret})
		}
		for _, h := range p.Hidden {
			if h.Name == f.Name {
				l.InPlaceOf = append(l.InPlaceOf, h.Dir)
			}
		}
		features = append(features, l)
	}
	return features
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

// with is the object with a member, in place of one of that name.
func (o object) with(key string, value any) object {
	for i := range o {
		if o[i].key == key {
			o[i].value = value
			return o
		}
	}
	return append(o, member{key, value})
}

// MarshalJSON implements [json.Marshaler].
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, m := range o {
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%s", key, value)
	}
	return fmt.Appendf(nil, "{%s}", b.Bytes()), nil
}
