package builder_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// TestSkipsSayWhatIsMissing: a test is skipped by [treetest.Skip], which says what
// this machine lacks and fails in CI.
func TestSkipsSayWhatIsMissing(t *testing.T) {
	all, fset := sources(t)
	found := 0
	for _, s := range all {
		if s.pkg == "treetest" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				return true
			}
			text := func(i int) string {
				if i >= len(call.Args) {
					return ""
				}
				lit, _ := call.Args[i].(*ast.BasicLit)
				if lit == nil {
					return ""
				}
				return strings.Trim(lit.Value, "\"`")
			}
			if x, _ := sel.X.(*ast.Ident); x != nil && x.Name == "treetest" {
				found++
				if !strings.HasPrefix(text(1), "needs ") {
					t.Errorf("%s: a skip says what the test needs", fset.Position(call.Pos()))
				}
			} else {
				t.Errorf("%s: skip a test by treetest.Skip", fset.Position(call.Pos()))
			}
			return true
		})
	}
	if found == 0 {
		t.Error("no test is skipped anywhere: this one looks for the wrong function")
	}
}
