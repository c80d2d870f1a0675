package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
)

// The tests in this file hold the documentation against the code: what the
// code has must be named, and what tables name must be there.

const docsRoot = "../.."

var inBackticks = regexp.MustCompile("`([^`]+)`")

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
	// ownOf are the options that a verb has beside those.
	ownOf := func(v *verb) *pflag.FlagSet {
		own := pflag.NewFlagSet(v.name, pflag.ContinueOnError)
		newFlags(v, &options{}).VisitAll(func(f *pflag.Flag) {
			if !slices.Contains(common, "--"+f.Name) {
				own.AddFlag(f)
			}
		})
		return own
	}
	running := ownOf(&verb{name: "running", flags: runFlags})
	sameNames(t, "options of verbs that run steps", tableRows(t, doc, "### Options of verbs that run steps"), namesOf(running))

	signing := ownOf(&verb{name: "signing", flags: signFlags})
	sameNames(t, "options for signatures", tableRows(t, doc, "### Options for signatures"), namesOf(signing))
	shared := append(namesOf(running), namesOf(signing)...)

	for _, v := range verbs {
		if v.hidden {
			continue
		}
		rows := tableRows(t, doc, "### `"+v.name+"`")
		own := ownOf(v)
		var want []string
		for _, name := range namesOf(own) {
			// Those that are described for several verbs may be left out.
			listed := slices.ContainsFunc(rows, func(r tableRow) bool { return slices.Contains(r.names, name) })
			if listed || !slices.Contains(shared, name) {
				want = append(want, name)
			}
		}
		rows = slices.DeleteFunc(rows, func(r tableRow) bool { return !strings.HasPrefix(r.names[0], "-") })
		named := sameNames(t, v.name, rows, want)
		own.VisitAll(func(f *pflag.Flag) {
			other := slices.Contains([]string{"bool", "stringArray"}, f.Value.Type())
			if _, number := f.Value.(amount); number || other {
				return
			}
			if r := named["--"+f.Name]; r.text != "" && f.DefValue != "" && r.defaultCell != "`"+f.DefValue+"`" {
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
