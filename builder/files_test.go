package builder_test

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

// Most lines of a file, and of a function outside of tests: those of tests hold
// tables, and stories that are read from top to bottom.
const (
	mostLines         = 400
	mostFunctionLines = 60
)

// tooLong are files and functions ("path: name") that are longer. The list may
// only shrink: an entry that is not needed any more is a fault as well.
var tooLong = []string{}

// circles are the packages in which files still form one. This list may only
// shrink, too.
var circles = []string{}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	all, fset := sources(t)
	var long []string
	for _, s := range all {
		if lines := fset.Position(s.file.FileEnd).Line; lines > mostLines+1 {
			long = append(long, s.path)
			if !slices.Contains(tooLong, s.path) {
				t.Errorf("%s has %d lines, more than %d: does it hold two things?", s.path, lines, mostLines)
			}
		}
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				ast.Inspect(d, func(n ast.Node) bool {
					if f, ok := n.(*ast.FuncLit); ok && fset.Position(f.End()).Line-fset.Position(f.Pos()).Line+1 > mostFunctionLines {
						t.Errorf("%s: this function has more than %d lines", fset.Position(f.Pos()), mostFunctionLines)
					}
					return true
				})
				continue
			}
			lines := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1
			if lines <= mostFunctionLines {
				continue
			}
			name := s.path + ": " + f.Name.Name
			long = append(long, name)
			if !slices.Contains(tooLong, name) {
				t.Errorf("%s: %s has %d lines, more than %d", fset.Position(f.Pos()), f.Name.Name, lines, mostFunctionLines)
			}
		}
	}
	for _, name := range tooLong {
		if !slices.Contains(long, name) {
			t.Errorf("%s is not too long any more; take it off the list", name)
		}
	}
}

// TestFilesFormNoCircle: a reader of one file of a package can continue with those
// that it mentions, and never comes back to the first. What counts is the names of
// functions, types, variables and constants; methods go with their types.
func TestFilesFormNoCircle(t *testing.T) {
	all, fset := sources(t)
	packages := map[string][]source{}
	for _, s := range all {
		if !s.test {
			packages[s.pkg] = append(packages[s.pkg], s)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(packages)) {
		left := uses(fset, packages[pkg])
		// Files that use none of those that are left cannot be part of a circle, and
		// neither can those that none of them uses.
		for {
			before := len(left)
			maps.DeleteFunc(left, func(file string, _ map[string]string) bool {
				return !usesAny(left, file) || !usedByAny(left, file)
			})
			if len(left) == before {
				break
			}
		}
		listed := slices.Contains(circles, pkg)
		if len(left) == 0 && listed {
			t.Errorf("the files of %s form no circle any more; take it off the list", pkg)
		}
		if len(left) == 0 || listed {
			continue
		}
		for _, file := range slices.Sorted(maps.Keys(left)) {
			for _, to := range slices.Sorted(maps.Keys(left[file])) {
				if left[to] != nil {
					t.Errorf("%s: %s mentions %s of %s, which is on a circle with it", pkg, file, left[file][to], to)
				}
			}
		}
	}
}

func usesAny(left map[string]map[string]string, file string) bool {
	for to := range left[file] {
		if left[to] != nil {
			return true
		}
	}
	return false
}

func usedByAny(left map[string]map[string]string, file string) bool {
	for _, to := range left {
		if to[file] != "" {
			return true
		}
	}
	return false
}

// uses says of each file of a package which others it mentions, with a name that
// it does so by.
func uses(fset *token.FileSet, files []source) map[string]map[string]string {
	syntax := make([]*ast.File, len(files))
	found := map[string]map[string]string{}
	for i, s := range files {
		syntax[i] = s.file
		found[filepath.Base(s.path)] = map[string]string{}
	}
	file := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
	// What other packages declare is of no interest here, so none is imported and
	// faults are expected.
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	pkg, _ := config.Check(files[0].pkg, fset, syntax, &info)
	for id, object := range info.Uses {
		if from, to := file(id.Pos()), file(object.Pos()); object.Parent() == pkg.Scope() && from != to {
			found[from][to] = id.Name
		}
	}
	return found
}

type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	return nil, errors.New("not imported")
}

func TestCirclesAreFound(t *testing.T) {
	left := map[string]map[string]string{"a.go": {"b.go": "b"}, "b.go": {"a.go": "a"}, "c.go": {"a.go": "a"}}
	if !usesAny(left, "a.go") || !usedByAny(left, "b.go") || usedByAny(left, "c.go") {
		t.Error("a circle of two files and a file above it are taken for something else")
	}
	all, fset := sources(t)
	var store []source
	for _, s := range all {
		if s.pkg == "layer" && !s.test {
			store = append(store, s)
		}
	}
	if found := uses(fset, store); found["hold.go"]["store.go"] == "" {
		t.Errorf("hold.go mentions the Store of store.go; found is %v", found["hold.go"])
	}
}
