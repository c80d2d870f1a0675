package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/stage/image"
)

var (
	pathOfCode = regexp.MustCompile("`(builder/[a-z0-9/.]+)`")
	nameInFile = regexp.MustCompile("`([A-Za-z]+)` in\\s+`(builder/[a-z0-9/.]+\\.go)`")
)

// TestArchitectureSaysHowToAdd: the table of what can be added has the entries of
// each list, and the files and names of the section exist.
func TestArchitectureSaysHowToAdd(t *testing.T) {
	_, section, found := strings.Cut(readDoc(t, "docs/architecture.md"), "\n## How to add\n")
	if !found {
		t.Fatal("there is no section How to add")
	}
	var shown, families []string
	for _, v := range verbs {
		if !v.hidden {
			shown = append(shown, v.name)
		}
	}
	for _, f := range build.Families {
		families = append(families, f.Name())
	}
	for what, want := range map[string][]string{
		"a stage": plannedStages(t), "an output format": image.FormatNames(), "a verb": shown, "a family of distributions": families,
	} {
		row := regexp.MustCompile(`(?m)^\| ` + what + ` \|.*\| (.+) \|$`).FindStringSubmatch(section)
		if row == nil {
			t.Errorf("the table has no row for %s", what)
			continue
		}
		var got []string
		for _, m := range inBackticks.FindAllStringSubmatch(row[1], -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the table has %q, and there are %q", what, got, want)
		}
	}
	paths, names := pathOfCode.FindAllStringSubmatch(section, -1), nameInFile.FindAllStringSubmatch(section, -1)
	if len(paths) < 15 || len(names) < 8 {
		t.Errorf("only %d paths and %d names in files were found in the section", len(paths), len(names))
	}
	for _, m := range paths {
		if _, err := os.Stat(filepath.Join(docsRoot, m[1])); err != nil {
			t.Errorf("the section mentions %s: %v", m[1], err)
		}
	}
	for _, m := range names {
		if text, err := os.ReadFile(filepath.Join(docsRoot, m[2])); err != nil || !regexp.MustCompile(`\b`+m[1]+`\b`).Match(text) {
			t.Errorf("the section mentions %s in %s, which has no such name (%v)", m[1], m[2], err)
		}
	}
}

// plannedStages are the packages whose Plan is called by stage.go, in that order.
func plannedStages(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../stage/stage.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var stages []string
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Plan" {
			if pkg, ok := sel.X.(*ast.Ident); ok {
				stages = append(stages, pkg.Name)
			}
		}
		return true
	})
	return stages
}
