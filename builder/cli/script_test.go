package cli

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the expected output in testdata/script anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"treewright": func() { os.Exit(Main(os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})) },
	})
}

// TestScripts runs the command lines of testdata/script/*.txtar, each in a
// folder of its own. $PROJECT is the project itself; `expect CODE treewright
// ...` runs a command that must end with that exit code.
//
//	make golden
func TestScripts(t *testing.T) {
	project, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PROJECT", project)
			env.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"expect": expect,
			"graft":  graft,
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
