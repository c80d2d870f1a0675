package builder_test

import (
	"go/ast"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNothingHidesFromTheseTests: they look for calls by the usual names of
// packages, and for packages below builder/.
func TestNothingHidesFromTheseTests(t *testing.T) {
	all, fset := sources(t)
	looked := []string{"fmt", "log", "os", "path/filepath", "syscall", "golang.org/x/sys/unix"}
	module := strings.TrimSuffix(modulePrefix, "/builder/")
	for _, s := range all {
		for _, im := range s.file.Imports {
			path := strings.Trim(im.Path.Value, "\"`")
			if !s.test && im.Name != nil && (im.Name.Name == "." || slices.Contains(looked, path)) {
				t.Errorf("%s imports %s as %s", fset.Position(im.Pos()), path, im.Name.Name)
			}
			if strings.HasPrefix(path, module+"/") && !strings.HasPrefix(path, modulePrefix) {
				t.Errorf("%s imports %s, which is not on any floor", fset.Position(im.Pos()), path)
			}
		}
		if s.test || s.pkg == "sandbox" || s.pkg == "layer" {
			continue
		}
		selectors(s.file, func(x string, sel *ast.SelectorExpr) {
			if (x == "unix" || x == "syscall") && strings.HasPrefix(sel.Sel.Name, "SYS_") && sel.Sel.Name != "SYS_IOCTL" {
				t.Errorf("%s: %s.%s: call it by the name of its function", fset.Position(sel.Pos()), x, sel.Sel.Name)
			}
		})
	}
	here, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range here {
		if !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s is not in a package with a floor", path)
		}
	}
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		// A feature's programs are sources of what is built.
		case d.IsDir() && (path == "../builder" || d.Name() == "features" || path != ".." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") && path != "../shipped.go" && path != "../shipped_test.go":
			t.Errorf("%s: code is below builder/", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOnlyCommandsPrint: what a library has to say goes to its caller.
func TestOnlyCommandsPrint(t *testing.T) {
	all, fset := sources(t)
	found := 0
	for _, s := range all {
		if s.test {
			continue
		}
		selectors(s.file, func(x string, sel *ast.SelectorExpr) {
			if x == "fmt" && strings.HasPrefix(sel.Sel.Name, "Print") || x == "log" && slices.Contains(imports(s), "log") {
				t.Errorf("%s: %s.%s: a library writes to a sink or a writer only", fset.Position(sel.Pos()), x, sel.Sel.Name)
			}
			if x == "fmt" && strings.HasPrefix(sel.Sel.Name, "Fprint") {
				found++
			}
		})
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") && id.Obj == nil {
					t.Errorf("%s: %s is for debugging", fset.Position(id.Pos()), id.Name)
				}
			}
			return true
		})
	}
	if found == 0 {
		t.Error("nobody writes anything: the test looks for the wrong names")
	}
}
