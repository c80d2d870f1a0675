// Package builder_test checks what holds for all of builder/: the floors of
// DESIGN.md. The one idea: a rule that only people keep is soon none.
package builder_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePrefix = "github.com/treewright/treewright/builder/"

// floors says on which floor each package stands; it may import those below.
var floors = map[string]int{
	"account": 0, "diag": 0, "divide": 0, "download": 0, "drawing": 0, "event": 0, "layer": 0, "objects": 0, "sandbox": 0, "secret": 0, "shell": 0, "treefs": 0, "treetest": 0, "verity": 0,
	"cache": 1, "remote": 1, "remote/reapi": 2, "plan": 1, "compose": 1, "config": 1, "distro": 1, "format": 1, "gardenlinux/imagetool": 1, "gardenlinux/words": 1, "sign": 1,
	"config/configtest": 2, "distro/debian": 2, "distro/debian/debtest": 2, "gardenlinux/tree": 2, "lock": 2, "ostree": 2, "plan/plantest": 2, "scaffold": 2, "source": 2, "task": 2,
	"engine": 3, "publish": 3, "report": 3, "gardenlinux/lint": 3, "gardenlinux/system": 3, "stage": 3, "stage/accounts": 3, "stage/added": 3, "stage/commit": 3, "stage/content": 3, "stage/extension": 3,
	"bom": 2, "bom/bomtest": 2, "cves": 2, "extend": 2, "remote/oci": 2, "stage/bill": 3,
	"stage/image": 3, "stage/installed": 3,
	"stage/lint": 3, "stage/machine": 3, "stage/origin": 3, "stage/planner": 3, "stage/program": 3, "stage/rootfs": 3, "stage/shape": 3, "used": 3,
	"gardenlinux/stages": 4, "rules": 4, "difference": 4,
	"gardenlinux": 5,
	"worker":      4,
	"build":       6, "serve": 6, "vm": 6, "added": 7, "trial": 7, "verify": 7,
	"cli": 8, "cmd/bench": 9, "cmd/treewright": 9, "build/buildtest": 8, // only main imports cli, and only tests buildtest
	"e2e": 0, // its tests too know nothing of the code
}

// sameFloor lists the imports between packages of one floor that are meant,
// with the reason.
var sameFloor = map[[2]string]string{
	{"compose", "config"}: "compose resolves what config has read",
	{"config", "distro"}:  "the variables of URL templates are known where they are filled in",
	{"compose", "distro"}: "a wanted package is one value, from the line that asks for it to the archive",
	{"sandbox", "event"}:  "what a command used is one value, from the process that waited for it to the trace",
	{"layer", "objects"}:  "an index has the checksums that OSTree gives files, so that a commit does not read them again",
	{"layer", "treefs"}:   "a layer's files are copied and packed with the attributes that treefs reads and sets",
	{"vm", "serve"}:       "a machine upgrades from what is served beside it",
}

// pure packages compute and do nothing: all they read comes from an fs.FS.
var pure = []string{"account", "config", "compose", "cves", "divide", "drawing", "extend", "gardenlinux/lint", "gardenlinux/system", "gardenlinux/tree", "lock", "objects", "plan", "secret", "shell"}

// impure are the packages that pure ones keep away from.
func impure(path string) bool {
	switch path {
	case "os", "net", "os/exec", "io/ioutil", "syscall":
		return true
	}
	return strings.HasPrefix(path, "os/") || strings.HasPrefix(path, "net/") && path != "net/url" && path != "net/netip" || strings.HasPrefix(path, "golang.org/x/sys")
}

// mounting are the calls that only layer and sandbox make.
var mounting = []string{
	"Mount", "Unmount", "Fsopen", "Fsmount", "FsconfigCreate", "MoveMount", "OpenTree", "MountSetattr", "PivotRoot", "Unshare", "Setns",
}

// source is a parsed file of a package, named as in floors.
type source struct {
	pkg, path string
	test      bool
	file      *ast.File
}

func sources(t *testing.T) ([]source, *token.FileSet) {
	t.Helper()
	fset := token.NewFileSet()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || path != "." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || filepath.Dir(path) == "." {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(filepath.Dir(path)), path, strings.HasSuffix(path, "_test.go"), f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found %d files only: the test looks in the wrong place", len(all))
	}
	return all, fset
}

func imports(s source) []string {
	var paths []string
	for _, im := range s.file.Imports {
		path, err := strconv.Unquote(im.Path.Value)
		if err != nil {
			panic(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func TestFloors(t *testing.T) {
	all, _ := sources(t)
	for _, s := range all {
		// testdata's helpers apart, a package inside another one's internal
		// directory would have to be listed as well.
		floor, known := floors[s.pkg]
		if !known {
			t.Errorf("%s: package %s is not on any floor; give it one here and in docs/architecture.md", s.path, s.pkg)
			continue
		}
		for _, path := range imports(s) {
			to, ours := strings.CutPrefix(path, modulePrefix)
			if !ours || s.test && s.pkg != "e2e" {
				continue
			}
			below, known := floors[to]
			switch {
			case !known:
				t.Errorf("%s imports %s, which is not on any floor", s.path, to)
			case s.pkg == "e2e" && to == "distro/debian/debtest": // makes package archives, which come from outside
			case s.pkg == "e2e" && to == "bom/bomtest": // has the schemas of others
			case below < floor:
			case below == floor && sameFloor[[2]string{s.pkg, to}] != "":
			case below == floor && strings.HasPrefix(s.pkg+"/", "stage/") && strings.HasPrefix(to, "stage/"): // one group, which Go keeps free of circles
			default:
				t.Errorf("%s: %s (floor %d) imports %s (floor %d); only lower floors may be imported", s.path, s.pkg, floor, to, below)
			}
		}
	}
}

// shippedPackage is the one in the top directory, which is on no floor: it imports none
// of ours, and only shippedBy import it; see TestNothingHidesFromTheseTests.
const shippedPackage = "github.com/treewright/treewright"

var shippedBy = []string{"used", "treetest"}

func TestFewKnowWhatIsShipped(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../shipped.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range imports(source{file: file}) {
		if strings.HasPrefix(path, shippedPackage) {
			t.Errorf("shipped.go imports %s", path)
		}
	}
	if !strings.Contains(file.Doc.Text(), "The one idea: ") {
		t.Error("the doc comment of the package in the top directory does not tell its one idea")
	}
	all, _ := sources(t)
	found := 0
	for _, s := range all {
		if s.test || !slices.Contains(imports(s), shippedPackage) {
			continue
		}
		if found++; !slices.Contains(shippedBy, s.pkg) {
			t.Errorf("%s imports what is shipped; only %v may", s.path, shippedBy)
		}
	}
	if found == 0 {
		t.Error("nobody knows what is shipped: the test looks for the wrong name")
	}
}

// TestArchitectureListsEveryPackage: the table of docs/architecture.md has each
// package with its floor.
func TestArchitectureListsEveryPackage(t *testing.T) {
	text, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| ([0-9]) \\| `([^`]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		listed[row[2]], _ = strconv.Atoi(row[1])
	}
	for pkg, floor := range floors {
		if at, ok := listed[pkg]; !ok || at != floor {
			t.Errorf("docs/architecture.md has %s on floor %d (listed: %v), not %d", pkg, at, ok, floor)
		}
		if _, err := os.Stat(pkg); err != nil {
			t.Errorf("there is no package %s: %v", pkg, err)
		}
	}
	for pkg := range listed {
		if _, ok := floors[pkg]; !ok {
			t.Errorf("docs/architecture.md lists %s, which has no floor", pkg)
		}
	}
}

// choosing are the files that may know a family of distributions: the one that
// lists them, and the backend for tests, which is one.
var choosing = []string{"build/families.go", "build/buildtest/archive.go"}

func TestOnlyBuildKnowsAFamily(t *testing.T) {
	all, _ := sources(t)
	found := 0
	for _, s := range all {
		if s.test || !slices.Contains(imports(s), modulePrefix+"distro/debian") {
			continue
		}
		found++
		if !slices.Contains(choosing, s.path) {
			t.Errorf("%s imports distro/debian; what it needs of it belongs in the interface distro.Distro", s.path)
		}
	}
	if found != len(choosing) {
		t.Errorf("%d files know a family, not %d", found, len(choosing))
	}
}

// TestOnlyAFamilyNamesItsDatabase: no path of dpkg's database, nor its program, is
// named outside of the family's package and of the rules for trees that are of that
// family always.
func TestOnlyAFamilyNamesItsDatabase(t *testing.T) {
	all, fset := sources(t)
	found := 0
	for _, s := range all {
		if s.test || strings.HasPrefix(s.pkg, "gardenlinux") || s.pkg == "build/buildtest" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && strings.Contains(l.Value, "dpkg") {
				found++
				if s.pkg != "distro/debian" && s.pkg != "distro/debian/debtest" {
					t.Errorf("%s: %s belongs below distro.Database", fset.Position(l.Pos()), l.Value)
				}
			}
			return true
		})
	}
	if found == 0 {
		t.Error("nobody knows the package database: the test looks for the wrong word")
	}
}

func TestPurePackagesDoNoIO(t *testing.T) {
	all, _ := sources(t)
	for _, s := range all {
		if s.test || !slices.Contains(pure, s.pkg) {
			continue
		}
		for _, path := range imports(s) {
			if impure(path) {
				t.Errorf("%s imports %s, but %s is pure", s.path, path, s.pkg)
			}
		}
	}
}

func TestOnlySandboxStartsPrograms(t *testing.T) {
	all, fset := sources(t)
	for _, s := range all {
		if s.test || s.pkg == "sandbox" {
			continue
		}
		for _, path := range imports(s) {
			if path == "os/exec" {
				t.Errorf("%s imports os/exec; only sandbox may", s.path)
			}
		}
		selectors(s.file, func(x string, sel *ast.SelectorExpr) {
			if (x == "os" && sel.Sel.Name == "StartProcess") || ((x == "syscall" || x == "unix") && slices.Contains([]string{"Exec", "ForkExec", "StartProcess"}, sel.Sel.Name)) {
				t.Errorf("%s: %s.%s: only sandbox starts programs", fset.Position(sel.Pos()), x, sel.Sel.Name)
			}
		})
	}
}

func TestOnlyLayerAndSandboxMount(t *testing.T) {
	all, fset := sources(t)
	found := 0
	for _, s := range all {
		if s.test {
			continue
		}
		selectors(s.file, func(x string, sel *ast.SelectorExpr) {
			if (x != "unix" && x != "syscall") || !slices.Contains(mounting, sel.Sel.Name) {
				return
			}
			found++
			if s.pkg != "layer" && s.pkg != "sandbox" {
				t.Errorf("%s: %s.%s: only layer and sandbox mount", fset.Position(sel.Pos()), x, sel.Sel.Name)
			}
		})
	}
	if found == 0 {
		t.Error("nobody mounts anything: the test looks for the wrong names")
	}
}

// TestPathsAreNoPatterns: filepath.Glob reads a pattern into the names of the
// directories that a tree is in.
func TestPathsAreNoPatterns(t *testing.T) {
	all, fset := sources(t)
	for _, s := range all {
		if s.test {
			continue
		}
		selectors(s.file, func(x string, sel *ast.SelectorExpr) {
			if x == "filepath" && sel.Sel.Name == "Glob" {
				t.Errorf("%s: use layer.Glob", fset.Position(sel.Pos()))
			}
		})
	}
}

func TestOnlyMainExits(t *testing.T) {
	all, fset := sources(t)
	found := 0
	for _, s := range all {
		if s.test {
			continue
		}
		selectors(s.file, func(x string, sel *ast.SelectorExpr) {
			exits := x == "os" && sel.Sel.Name == "Exit" || x == "log" && strings.HasPrefix(sel.Sel.Name, "Fatal") ||
				(x == "syscall" || x == "unix") && sel.Sel.Name == "Exit"
			if !exits {
				return
			}
			found++
			if !strings.HasPrefix(s.pkg, "cmd/") {
				t.Errorf("%s: %s.%s: only main ends the process", fset.Position(sel.Pos()), x, sel.Sel.Name)
			}
		})
	}
	if found != 2 {
		t.Errorf("processes end in %d places, want one for each program, which are two", found)
	}
}

func TestEveryPackageSaysItsIdea(t *testing.T) {
	all, _ := sources(t)
	docs := map[string]string{}
	for _, s := range all {
		if s.test {
			continue
		}
		docs[s.pkg] += s.file.Doc.Text()
	}
	for pkg, doc := range docs {
		if doc == "" {
			t.Errorf("package %s has no doc comment", pkg)
			continue
		}
		// Main is a name for cli, nothing more.
		if pkg != "cmd/treewright" && !strings.Contains(doc, "The one idea: ") {
			t.Errorf("the doc comment of package %s does not tell its one idea (\"The one idea: ...\")", pkg)
		}
	}
}

// selectors calls f for every X.Y in a file where X is a plain name.
func selectors(file *ast.File, f func(x string, sel *ast.SelectorExpr)) {
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok {
				f(x.Name, sel)
			}
		}
		return true
	})
}
