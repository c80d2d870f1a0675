package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/treetest"
)

func shippedFlavours(t *testing.T) (names []string) {
	t.Helper()
	project, diags := config.Load(treewright.Tree(), config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, f := range project.Flavours {
		names = append(names, f.Name)
	}
	return names
}

// standIns are programs in place of others while a page is run: a clone is a copy of
// the shipped tree, ours runs no step, and machines are not booted. What a page says
// about these has tests in e2e.
var standIns = map[string]string{
	"git":  `test "$1" = clone; cp -r "$PROJECT" "$(basename "$2")"; printf '#!/bin/sh\nexec treewright "$@"\n' >"$(basename "$2")/build"; chmod +x "$(basename "$2")/build"`,
	"sudo": `while case $1 in -*) true;; *) false;; esac; do shift; done; exec "$@"`,
	"treewright": `for word; do case $word in run|test|shell|why) exit;; -*) ;; *) break;; esac; done
code=0; dry-treewright "$@" || code=$?; test $code = 0 || echo "exit code $code: treewright $*" >&2; exit $code`,
}

// runPage runs the commands of a page from above to below, in a directory of its own;
// files are written where the page shows them. Then it runs the test's own commands.
func runPage(t *testing.T, page, after string) {
	var script strings.Builder
	script.WriteString("set -e\n")
	for n, b := range codeBlocks(t, page) {
		switch {
		case b.file != "":
			fmt.Fprintf(&script, "mkdir -p \"$(dirname %[1]s)\"\ncat >%[1]s <<'END%[2]d'\n%[3]sEND%[2]d\n", b.file, n, b.text)
		case b.language == "":
			script.WriteString(b.text)
		}
	}
	script.WriteString(after)
	dir := t.TempDir()
	treetest.Write(t, filepath.Join(dir, "page.txtar"), "exec bash page.sh\n-- page.sh --\n"+script.String())
	project := treetest.Shipped(t)
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true, Setup: func(env *testscript.Env) error {
		bin := filepath.Join(env.WorkDir, "bin")
		for name, text := range standIns {
			treetest.Write(t, filepath.Join(bin, name), "#!/bin/sh\nset -e\n"+text+"\n")
			if err := os.Chmod(filepath.Join(bin, name), 0o755); err != nil {
				return err
			}
		}
		env.Setenv("PROJECT", project)
		env.Setenv("NO_COLOR", "1")
		env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
		return nil
	}})
}

func TestFirstSystemPage(t *testing.T) {
	runPage(t, "docs/first-system.md", `
test -e .build/debian-testing-amd64-ostree/debian-testing-amd64-ostree.raw
grep -q '<svg' graph.svg
treewright plan debian-testing-amd64-ostree >plan
grep -q '^rootfs/file.include/base ' plan
! grep ' to run ' plan || exit 9
`)
}

func TestAddAFeaturePage(t *testing.T) {
	runPage(t, "docs/add-a-feature.md", `
treewright show auto | grep -q 'Sun 03:00'
treewright plan auto | grep -q '^rootfs/exec.config/auto-upgrade '
grep -q '^OnCalendar=\${calendar}$' features/auto-upgrade/file.template/usr/lib/systemd/system/auto-upgrade.timer
test -x features/auto-upgrade/exec.config && test -x features/auto-upgrade/test/timer
sed -i 's/Sun 03:00/$(reboot)/' flavours/auto.hcl
! treewright check 2>faults || exit 9
grep -q 'has to match\|pattern' faults
test -e .build/auto/auto.raw
`)
}

// TestOwnTreePage: what the page shows of a tree of one's own works.
func TestOwnTreePage(t *testing.T) {
	for _, b := range codeBlocks(t, "docs/own-tree.md") {
		if b.file == "" {
			continue
		}
		dir := t.TempDir()
		treetest.Write(t, filepath.Join(dir, b.file), b.text)
		treetest.Write(t, filepath.Join(dir, "flavours/x.hcl"), "flavour \"x\" {\n  features = [\"base\"]\n  distribution {\n    suite = \"testing\"\n  }\n}\n")
		if code, out, errs := runMain(t, "", "-C", dir, "check"); code != exitOK {
			t.Errorf("%s: exit code %d\n%s%s", b.file, code, out, errs)
		}
	}
}

// TestManyMachinesScripts runs the scripts of the page: the planned jobs build each
// flavour once, and the times that the jobs note are used by the next plan.
func TestManyMachinesScripts(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		treetest.Skip(t, "needs git, with which the page finds changed flavours")
	}
	var script strings.Builder
	script.WriteString("set -e\nmkdir -p tree/ci\ncp -r \"$PROJECT/features\" \"$PROJECT/flavours\" tree\ncd tree\n")
	for n, b := range codeBlocks(t, "docs/ci-many.md") {
		if strings.HasPrefix(b.file, "ci/") {
			fmt.Fprintf(&script, "cat >%[1]s <<'END%[2]d'\n%[3]sEND%[2]d\n", b.file, n, b.text)
		}
	}
	script.WriteString(`
chmod +x ci/plan ci/part
export GIT_CONFIG_GLOBAL=/dev/null
git init -q . && git add -A && git -c user.name=x -c user.email=x@example.com commit -q -m one
ci/plan github "" >jobs
all=0
for i in 1 2; do
	name=$(sed 's/{"name"/\n&/g' jobs | sed -n "$((i + 1))s/.*\"name\":\"\([^\"]*\)\".*/\1/p")
	flavours=$(sed 's/{"name"/\n&/g' jobs | sed -n "$((i + 1))s/.*\"flavours\":\"\([^\"]*\)\".*/\1/p")
	ci/part "$name" $flavours
	test -s "times/$name.json"
	for f in $flavours; do test -e ".build/$f"; all=$((all + 1)); done
done
test $all = $(treewright list flavours --format names | wc -l)
rm -r .build
ci/plan json "" | grep -Eq '"rootfs/bootstrap": [0-9.]*[1-9]'
test "$(ci/plan github HEAD)" = '{"include":[]}'
echo "# new" >>features/base/exec.config
ci/plan github HEAD | grep -q debian-testing-amd64-ostree
{ cat ci/flavours.yml; ci/plan gitlab HEAD; } >jobs.yml
grep -q '^"amd64-1":' jobs.yml && grep -q '^\.flavours:' jobs.yml
`)
	dir := t.TempDir()
	treetest.Write(t, filepath.Join(dir, "page.txtar"), "exec bash page.sh\n-- page.sh --\n"+script.String())
	project := treetest.Shipped(t)
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true, Setup: func(env *testscript.Env) error {
		bin := filepath.Join(env.WorkDir, "bin")
		treetest.Write(t, filepath.Join(bin, "treewright"), "#!/bin/sh\nexec dry-treewright \"$@\"\n")
		env.Setenv("PROJECT", project)
		env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
		return os.Chmod(filepath.Join(bin, "treewright"), 0o755)
	}})
}

// TestPublishScript runs the script by which artifacts are copied to a server, twice:
// objects arrive before what leads to them, and a file of the same size and time that
// has changed arrives, too.
func TestPublishScript(t *testing.T) {
	if _, err := exec.LookPath("rsync"); err != nil {
		treetest.Skip(t, "needs rsync, by which the page publishes")
	}
	dir := t.TempDir()
	for _, b := range codeBlocks(t, "docs/ci.md") {
		if b.language == "sh" && strings.Contains(b.text, "rsync") {
			treetest.Write(t, filepath.Join(dir, "ci/publish"), b.text)
		}
	}
	from, to := filepath.Join(dir, ".build/example"), filepath.Join(dir, "server/example")
	object := "debian-repo-amd64/objects/aa/" + strings.Repeat("b", 62) + ".filez"
	publish := func(ref string) {
		treetest.WriteAll(t, from, map[string]string{
			object: "object", "debian-repo-amd64/refs/heads/debian/testing/amd64": ref, "debian-repo-amd64/tmp/lock": "x",
			"debian-repo-amd64/summary": ref, "debug/usr/bin/gdb": ref, "debug.raw": ref, "SHA256SUMS": ref,
		})
		if err := os.Chtimes(filepath.Join(from, "debug/usr/bin/gdb"), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("bash", filepath.Join(dir, "ci/publish"), "example", filepath.Join(dir, "server")).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, name := range []string{"debian-repo-amd64/refs/heads/debian/testing/amd64", "debian-repo-amd64/summary", "debug/usr/bin/gdb", "debug.raw", "SHA256SUMS"} {
			if got := treetest.Content(t, filepath.Join(to, name)); got != ref {
				t.Errorf("%s is %q on the server, not %q", name, got, ref)
			}
		}
		if got := treetest.Content(t, filepath.Join(to, object)); got != "object" {
			t.Errorf("the object is %q on the server", got)
		}
		if _, err := os.Stat(filepath.Join(to, "debian-repo-amd64/tmp")); err == nil {
			t.Error("temporary files were published")
		}
	}
	publish("1111")
	publish("2222")
}

// TestTroubleshootingQuotes: each text that a table of the page shows as part of a
// message is one of the program, or of the scripts that compile it.
func TestTroubleshootingQuotes(t *testing.T) {
	said := readDoc(t, "build") + readDoc(t, "builder/go")
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				text, _ := strconv.Unquote(l.Value)
				said += text + "\n"
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found, quoting := 0, false
	for line := range strings.Lines(readDoc(t, "docs/troubleshooting.md")) {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		quoting = strings.HasPrefix(line, "|") && (quoting || first == "message contains")
		if !quoting {
			continue
		}
		for _, m := range inBackticks.FindAllStringSubmatch(first, -1) {
			found++
			if !strings.Contains(said, m[1]) {
				t.Errorf("no message contains %q", m[1])
			}
		}
	}
	if found < 15 {
		t.Errorf("found %d quoted messages", found)
	}
}
