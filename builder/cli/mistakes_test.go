package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestMistakes runs testdata/mistakes/*.txtar: the worst mistakes of people who are
// new, each with its whole message. A script begins with the tree
// that `init` writes, with the flavour of testdata/mistakes/site unless it brings
// flavours, and with its scripts and tests executable.
//
//	make golden
func TestMistakes(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/mistakes",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv(calledAs, "./build")
			return beginner(env.WorkDir)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"expect": expect,
			"masked": masked,
		},
	})
}

// TestFiftyMistakes: there are at least fifty, each with its message, which
// is never that there is nothing to show.
func TestFiftyMistakes(t *testing.T) {
	scripts, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(scripts) < 50 {
		t.Fatalf("%d scripts, error %v", len(scripts), err)
	}
	for i, script := range scripts {
		if name := filepath.Base(script); !strings.HasPrefix(name, fmt.Sprintf("%02d-", i+1)) {
			t.Errorf("the script %d is called %s", i+1, name)
		}
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		said := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "says" })
		if said < 0 || len(archive.Files[said].Data) == 0 || !strings.Contains(string(archive.Comment), " says\n") || bytes.Contains(archive.Files[said].Data, []byte("source code not available")) {
			t.Errorf("%s does not have the message", script)
		}
	}
}

// beginner adds to a script's directory what it does not have of a new tree.
func beginner(dir string) error {
	trees := []string{"../scaffold/tree/treewright.hcl", "../scaffold/tree/features"}
	if _, err := os.Stat(filepath.Join(dir, "flavours")); err != nil {
		trees = append(trees, "testdata/mistakes/flavours")
	}
	for _, from := range trees {
		if err := fill(filepath.Join(dir, filepath.Base(from)), from); err != nil {
			return err
		}
	}
	for _, pattern := range []string{"features/*/exec.*", "features/*/test/*"} {
		scripts, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, script := range scripts {
			if err := os.Chmod(script, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill copies files that are not there.
func fill(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := to + strings.TrimPrefix(path, from)
		if _, err := os.Lstat(name); err == nil {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return os.WriteFile(name, data, 0o644)
	})
}
