package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
)

// schemaNode is as much of a JSON Schema as the tables can be held against.
type schemaNode struct {
	Properties, PatternProperties map[string]*schemaNode
	Enum                          []string
	Default                       any
	AnyOf                         []*schemaNode
}

// blocks collects the fields of each block of a schema, by the block's name.
func (s *schemaNode) blocks(name string, into map[string]map[string]*schemaNode) {
	if len(s.Properties) > 0 {
		into[name] = s.Properties
	}
	for field, sub := range s.Properties {
		sub.blocks(field, into)
	}
	for _, sub := range s.PatternProperties {
		sub.blocks(name, into)
	}
}

func (s *schemaNode) enum() []string {
	all := slices.Clone(s.Enum)
	for _, sub := range s.AnyOf {
		all = append(all, sub.enum()...)
	}
	return all
}

func schemaBlocks(t *testing.T, file string) map[string]map[string]*schemaNode {
	t.Helper()
	var s schemaNode
	if err := json.Unmarshal(config.Schemas()[file], &s); err != nil {
		t.Fatal(err)
	}
	blocks := map[string]map[string]*schemaNode{}
	s.blocks("", blocks)
	return blocks
}

func checkFields(t *testing.T, doc, heading string, fields map[string]*schemaNode, ignore ...string) {
	t.Helper()
	var want []string
	for name := range fields {
		if !slices.Contains(ignore, name) {
			want = append(want, name)
		}
	}
	rows := sameNames(t, heading, tableRows(t, doc, heading), want)
	for name, row := range rows {
		f := fields[name]
		if f == nil {
			continue
		}
		for _, value := range f.enum() {
			if !strings.Contains(row.text, "`"+value+"`") {
				t.Errorf("%s: the row of %q does not name the value %q", heading, name, value)
			}
		}
		if list, ok := f.Default.([]any); ok {
			f.Default = list[0]
		}
		if f.Default != nil && row.defaultCell != "`"+fmt.Sprint(f.Default)+"`" {
			t.Errorf("%s: the default of %q is %v, but the table says %s", heading, name, f.Default, row.defaultCell)
		}
	}
}

func TestFlavoursDocNamesEveryField(t *testing.T) {
	doc := readDoc(t, "docs/flavours.md")
	blocks := schemaBlocks(t, "flavour.schema.json")
	headings := map[string]string{
		"": "", "variables": "### `variable`", "flavours": "### `flavour`", "distribution": "### `distribution`", "sign": "### `sign`", "sources": "### `source`",
	}
	for name, fields := range blocks {
		heading, known := headings[name]
		switch {
		case !known:
			t.Errorf("no heading is known for the block %q", name)
		case heading == "":
			for field := range fields {
				if !strings.Contains(doc, "`"+field+"`") {
					t.Errorf("docs/flavours.md does not name %q", field)
				}
			}
		default:
			if own, ok := fields["sources"]; ok { // the page has HCL's names
				fields = maps.Clone(fields)
				delete(fields, "sources")
				fields["source"] = own
			}
			checkFields(t, doc, heading, fields)
		}
	}
	for _, f := range stringsOf(t, "../config/functions.go", "functions") {
		if !strings.Contains(doc, "`"+f+"`") {
			t.Errorf("docs/flavours.md does not name the function %q", f)
		}
	}
}

func TestFeaturesDocNamesEveryFieldAndFile(t *testing.T) {
	doc := readDoc(t, "docs/features.md")
	headings := map[string]string{
		"": "### Fields of `info.yaml`", "features": "### Fields of `features`", "parameters": "### Fields of `parameters`", "sources": "### Fields of `sources`",
	}
	blocks := schemaBlocks(t, "info.schema.json")
	for name, fields := range blocks {
		if name == "fields" { // the page says how they differ from parameters
			want := maps.Clone(blocks["parameters"])
			for _, not := range []string{"early", "requires", "secret", "fields"} {
				delete(want, not)
			}
			if got := slices.Sorted(maps.Keys(fields)); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
				t.Errorf("the fields of objects are %v", got)
			}
			continue
		}
		if headings[name] == "" {
			t.Errorf("no heading is known for the block %q", name)
			continue
		}
		checkFields(t, doc, headings[name], fields, "publishing_group")
	}
	var files []string
	for _, name := range slices.Concat(stringsOf(t, "../config/feature.go", "fileNames"), stringsOf(t, "../config/feature.go", "scripts"), tree.BesideFlavours().Names) {
		if name == "file.include" || name == "file.template" || name == "file.debs" {
			name += "/"
		}
		files = append(files, name)
	}
	sameNames(t, "files of a feature", tableRows(t, doc, "## Files"), append(files, "test/"))
}

func TestFeaturesDocNamesEveryParameter(t *testing.T) {
	doc := readDoc(t, "docs/features.md")
	project, diags := config.Load(treewright.Tree(), config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for name, f := range project.Features {
		var want []string
		for _, p := range f.Parameters {
			want = append(want, p.Name)
		}
		rows := sameNames(t, "feature "+name, tableRows(t, doc, "### `"+name+"`"), want)
		for _, p := range f.Parameters {
			for _, v := range p.Values {
				if !strings.Contains(rows[p.Name].text, "`"+v+"`") {
					t.Errorf("feature %s: the row of %q does not name %q", name, p.Name, v)
				}
			}
			if want := defaultText(p.Default); rows[p.Name].defaultCell != want {
				t.Errorf("feature %s: the default of %q is %s, but the table says %s", name, p.Name, want, rows[p.Name].defaultCell)
			}
			if !strings.Contains(rows[p.Name].text, "| "+string(p.Type)+" |") {
				t.Errorf("feature %s: the row of %q does not say that it is a %s", name, p.Name, p.Type)
			}
		}
	}
}

// defaultText is a default as a cell of a table has it.
func defaultText(value any) string {
	list, isList := value.([]string)
	switch {
	case value == "":
		return "`\"\"`"
	case isList && len(list) == 0:
		return "`[]`"
	case isList:
		return "`" + strings.Join(list, "`, `") + "`"
	}
	return fmt.Sprintf("`%v`", value)
}
