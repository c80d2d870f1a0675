package cli

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/publish"
)

// The tests in this file hold the documentation against the code: what the
// code has must be named, and what tables name must be there.

const docsRoot = "../.."

func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docsRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tableRow is a row of a table: the words in backticks in its first cell, the
// cell of the column "default" if there is one, and all of its text.
type tableRow struct {
	names             []string
	text, defaultCell string
}

var inBackticks = regexp.MustCompile("`([^`]+)`")

// tableRows returns the rows of the tables below a heading, up to the next
// heading of any level.
func tableRows(t *testing.T, doc, heading string) []tableRow {
	t.Helper()
	_, rest, found := strings.Cut("\n"+doc, "\n"+heading+"\n")
	if !found {
		t.Errorf("there is no heading %q", heading)
		return nil
	}
	var rows []tableRow
	column := -1
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "#") {
			break
		}
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if i := slices.Index(cells, "default"); i >= 0 {
			column = i
		}
		r := tableRow{text: line}
		if column >= 0 && column < len(cells) {
			r.defaultCell = cells[column]
		}
		for _, m := range inBackticks.FindAllStringSubmatch(cells[0], -1) {
			r.names = append(r.names, m[1])
		}
		if len(r.names) > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// sameNames compares what a table names with what there is, and returns the
// row of each name.
func sameNames(t *testing.T, where string, rows []tableRow, want []string) map[string]tableRow {
	t.Helper()
	named := map[string]tableRow{}
	for _, r := range rows {
		for _, n := range r.names {
			if !slices.Contains(want, n) {
				t.Errorf("%s: the table names %q, which there is not", where, n)
			}
			named[n] = r
		}
	}
	for _, n := range want {
		if len(named[n].names) == 0 {
			t.Errorf("%s: the table does not name %q", where, n)
		}
	}
	return named
}

func TestReferenceNamesEveryVerbAndOption(t *testing.T) {
	doc := readDoc(t, "docs/reference.md")
	namesOf := func(flags *pflag.FlagSet) []string {
		var names []string
		flags.VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				return
			}
			if f.Shorthand != "" {
				names = append(names, "-"+f.Shorthand)
			}
			names = append(names, "--"+f.Name)
		})
		return names
	}
	common := namesOf(newFlags(&verb{name: "none"}, &options{}))
	sameNames(t, "common options", tableRows(t, doc, "### Common options"), common)
	running := pflag.NewFlagSet("running", pflag.ContinueOnError)
	runFlags(running, &options{})
	sameNames(t, "options of verbs that run steps", tableRows(t, doc, "### Options of verbs that run steps"), namesOf(running))

	for _, v := range verbs {
		if v.hidden {
			continue
		}
		rows := tableRows(t, doc, "### `"+v.name+"`")
		own := pflag.NewFlagSet(v.name, pflag.ContinueOnError)
		if v.flags != nil {
			v.flags(own, &options{})
		}
		var want []string
		for _, name := range namesOf(own) {
			// Those that are described for all verbs that run steps may be left out.
			listed := slices.ContainsFunc(rows, func(r tableRow) bool { return slices.Contains(r.names, name) })
			if listed || !slices.Contains(namesOf(running), name) {
				want = append(want, name)
			}
		}
		rows = slices.DeleteFunc(rows, func(r tableRow) bool { return !strings.HasPrefix(r.names[0], "-") })
		named := sameNames(t, v.name, rows, want)
		own.VisitAll(func(f *pflag.Flag) {
			if r := named["--"+f.Name]; r.text != "" && f.Value.Type() == "string" && f.DefValue != "" && r.defaultCell != "`"+f.DefValue+"`" {
				t.Errorf("%s: the default of --%s is %q, but the table says %s", v.name, f.Name, f.DefValue, r.text)
			}
		})
	}
}

func TestReferenceNamesEveryExitCode(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "exit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(s.Names[0].Name, "exit") && len(s.Values) == 1 {
			if lit, ok := s.Values[0].(*ast.BasicLit); ok {
				codes = append(codes, lit.Value)
			}
		}
		return true
	})
	sameNames(t, "exit codes", tableRows(t, readDoc(t, "docs/reference.md"), "## Exit codes"), codes)
}

func TestReferenceNamesEveryEvent(t *testing.T) {
	doc := readDoc(t, "docs/reference.md")
	file, err := parser.ParseFile(token.NewFileSet(), "../event/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := s.Type.(*ast.Ident); ok && typ.Name == "Kind" {
			kinds = append(kinds, unquote(t, s.Values[0].(*ast.BasicLit).Value))
		}
		return true
	})
	rows := tableRows(t, doc, "### JSON events")
	sameNames(t, "events", rows, kinds)
	var text strings.Builder
	for _, r := range rows {
		text.WriteString(r.text)
	}
	for _, field := range jsonNames(reflect.TypeFor[event.Event]()) {
		if field != "time" && field != "kind" && !strings.Contains(text.String(), "`"+field+"`") {
			t.Errorf("the table of events does not name the field %q", field)
		}
	}
	sameNames(t, "progress", tableRows(t, doc, "## Progress"), event.Modes)
}

func TestStagesNameEveryFieldOfTheManifest(t *testing.T) {
	rows := tableRows(t, readDoc(t, "docs/stages.md"), "## `manifest.json`")
	sameNames(t, "manifest.json", rows, jsonNames(reflect.TypeFor[publish.Manifest]()))
	var all strings.Builder
	for _, r := range rows {
		all.WriteString(r.text)
	}
	for _, part := range []reflect.Type{
		reflect.TypeFor[publish.ManifestDistribution](), reflect.TypeFor[publish.ManifestPackage](),
		reflect.TypeFor[publish.ManifestArtifact](), reflect.TypeFor[publish.ManifestStep](),
	} {
		for _, name := range jsonNames(part) {
			if !strings.Contains(all.String(), "`"+name+"`") {
				t.Errorf("the table of manifest.json does not name the field %q of %s", name, part.Name())
			}
		}
	}
}

func jsonNames(typ reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(typ) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" || !f.Anonymous {
			names = append(names, name)
		}
	}
	return names
}

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
		"": "", "variables": "### `variable`", "flavours": "### `flavour`", "distribution": "### `distribution`",
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
		"": "### Fields of `info.yaml`", "features": "### Fields of `features`", "parameters": "### Fields of `parameters`",
	}
	for name, fields := range schemaBlocks(t, "info.schema.json") {
		if headings[name] == "" {
			t.Errorf("no heading is known for the block %q", name)
			continue
		}
		checkFields(t, doc, headings[name], fields, "publishing_group")
	}
	var files []string
	for _, name := range slices.Concat(stringsOf(t, "../config/feature.go", "fileNames"), stringsOf(t, "../config/feature.go", "scripts"), tree.BesideFlavours().Names) {
		if name == "file.include" {
			name += "/"
		}
		files = append(files, name)
	}
	sameNames(t, "files of a feature", tableRows(t, doc, "## Files"), append(files, "test/"))
}

func TestFeaturesDocNamesEveryParameter(t *testing.T) {
	doc := readDoc(t, "docs/features.md")
	project, diags := config.Load(os.DirFS(docsRoot), config.Options{})
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

// stringsOf returns the string literals in a Go file, or in the value of one
// of its variables.
func stringsOf(t *testing.T, path, variable string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var from ast.Node = file
	if variable != "" {
		from = nil
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				for _, s := range g.Specs {
					if v, ok := s.(*ast.ValueSpec); ok && v.Names[0].Name == variable {
						from = v
					}
				}
			}
		}
		if from == nil {
			t.Fatalf("%s has no variable %s", path, variable)
		}
	}
	var all []string
	ast.Inspect(from, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			all = append(all, unquote(t, lit.Value))
		}
		return true
	})
	if len(all) == 0 && variable != "" {
		t.Fatalf("%s: no strings in %s", path, variable)
	}
	return all
}

func unquote(t *testing.T, literal string) string {
	t.Helper()
	s, err := strconv.Unquote(literal)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
