package cli

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/treewright/treewright/builder/added"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/treetest"
	"github.com/treewright/treewright/builder/vm"
)

var update = flag.Bool("update", false, "write the expected output in testdata/script again")

func TestMain(m *testing.M) {
	streams := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	if len(os.Args) > 1 && os.Args[1] == vm.ExecVerb {
		os.Exit(Main(os.Args, streams)) // a job of a test in this package
	}
	thisMachine = machineIn("/nowhere") // tests do not change this one
	testscript.Main(m, map[string]func(){
		"treewright": func() { os.Exit(Main(os.Args, streams)) },
		// The same, but no step is run and no archive asked, so that it needs neither
		// root nor a network.
		"dry-treewright": func() { os.Exit(runOn(buildtest.Backend(), os.Args, streams)) },
		// The same on a machine in the directory $MACHINE, whose programs are in its directory bin.
		"on-machine": func() {
			thisMachine = machineIn(os.Getenv("MACHINE"))
			os.Exit(Main(os.Args, streams))
		},
	})
}

// machineIn is a machine whose files are in a directory.
func machineIn(root string) func(func(string)) *added.Machine {
	return func(say func(string)) *added.Machine {
		m := added.This(say)
		m.Root, m.Path, m.Timing = root, filepath.Join(root, "bin")+":"+os.Getenv("PATH"), download.Once
		return m
	}
}

// TestScripts runs the command lines of testdata/script/*.txtar, each in a
// directory of its own. $PROJECT is the tree that is shipped; `expect CODE treewright
// ...` runs a command that must end with that exit code. dry-treewright is a
// treewright that runs no step and asks no archive; `masked CODE dry-treewright
// ...` writes what it says to the file out, so that all of it can be compared.
//
//	make golden
func TestScripts(t *testing.T) {
	project := treetest.Shipped(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PROJECT", project)
			env.Setenv("NO_COLOR", "1")
			env.Setenv(calledAs, "./build")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"expect": expect,
			"graft":  graft,
			"masked": masked,
		},
	})
}

// expect runs a command that must end with an exit code: documented codes are
// promises.
func expect(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: expect CODE COMMAND [ARGUMENT]...")
	}
	script := `code=0; "$@" || code=$?; test $code = $0 || { echo "exit code $code, expected $0" >&2; exit 99; }`
	ts.Check(ts.Exec("sh", append([]string{"-c", script}, args...)...))
}

// graft copies the project's features and flavours here.
func graft(ts *testscript.TestScript, _ bool, _ []string) {
	for _, dir := range []string{"features", "flavours"} {
		ts.Check(os.CopyFS(ts.MkAbs(dir), os.DirFS(filepath.Join(ts.Getenv("PROJECT"), dir))))
	}
}

// What differs from one run to the next, or with every change of a step.
var (
	aKey      = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	aShortKey = regexp.MustCompile(`\b[0-9a-f]{12}\b`)
	aDuration = regexp.MustCompile(`\b\d+(\.\d+)?(ms|s)\b`)
)

// masked runs a command that must end with an exit code, and writes what it says
// on both streams to the file out, with keys and durations masked, and the
// directory of the script as $WORK.
func masked(ts *testscript.TestScript, neg bool, args []string) {
	expect(ts, neg, append([]string{args[0], "sh", "-c", `exec "$0" "$@" >out 2>&1`}, args[1:]...))
	text := strings.ReplaceAll(ts.ReadFile("out"), ts.Getenv("WORK"), "$WORK")
	text = aShortKey.ReplaceAllString(aKey.ReplaceAllString(text, "KEY"), "KEY.........")
	text = aDuration.ReplaceAllString(text, "0s")
	ts.Check(os.WriteFile(ts.MkAbs("out"), []byte(text), 0o644))
}
