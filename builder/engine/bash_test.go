package engine

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/layer"
)

// withBash is a store whose base has this machine's bash, with the libraries that it needs.
func withBash(t *testing.T) *layer.Store {
	t.Helper()
	store, err := layer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	g, err := scriptGraph("", "", "")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := store.Begin(g.Key("base"))
	if err != nil {
		t.Fatal(err)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	libraries, err := exec.Command("ldd", bash).Output()
	if err != nil {
		t.Fatal(err)
	}
	copied := map[string]string{"/bin/bash": bash}
	for _, file := range regexp.MustCompile(`(?m)(/\S+) \(0x`).FindAllStringSubmatch(string(libraries), -1) {
		copied[file[1]] = file[1]
	}
	for to, from := range copied {
		content, err := os.ReadFile(from)
		to = filepath.Join(draft.Data, to)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := draft.Commit(layer.Result{Step: "base"}); err != nil {
		t.Fatal(err)
	}
	return store
}

// TestRootCommandThatEndsAScript: the error has file, line and command, and nothing of how
// that is found out is left in the tree of a script that succeeds.
func TestRootCommandThatEndsAScript(t *testing.T) {
	needRoot(t)
	store := withBash(t)
	run := func(script, mark string) (string, error) {
		if !strings.HasPrefix(script, "#!") {
			script = "#!/bin/bash\nset -e\n" + script
		}
		dir := t.TempDir()
		failing := os.WriteFile(filepath.Join(dir, "curl"), []byte("#!/bin/bash\nexit 6\n"), 0o755)
		if err := errors.Join(failing, os.WriteFile(filepath.Join(dir, "exec.config"), []byte(script), 0o755)); err != nil {
			t.Fatal(err)
		}
		g, err := scriptGraph(dir, "", mark)
		if err != nil {
			t.Fatal(err)
		}
		sink := &recorder{}
		e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(rootOf(store), "failed")}
		_, err = e.Run(context.Background(), g, g.Targets())
		return store.Data(g.Key(scriptID)), err
	}
	_, err := run("\ntest -e /nope\n", "fails")
	if err == nil || err.Error() != "step "+scriptID+": features/x/exec.config:4: test -e /nope: exit status 1" {
		t.Errorf("error %v", err)
	}
	_, err = run("cd /builder/features/x\n./curl -O https://example.org/\n", "curl")
	if err == nil || !strings.HasPrefix(err.Error(), "step "+scriptID+": features/x/exec.config:4: ./curl -O https://example.org/: exit status 6\nScripts have no network. ") {
		t.Errorf("error %v", err)
	}
	for _, line := range []string{"#!/usr/bin/env python3", "#!/usr/bin/python3"} {
		_, err = run(line+"\nprint(1)\n", line)
		if want := "step " + scriptID + ": features/x/exec.config: the tree has no python3, which the first line of the script names; the package python3 brings it"; err == nil || err.Error() != want {
			t.Errorf("%s: error %v", line, err)
		}
	}
	for script, want := range map[string]string{
		"exit 3\n":                "features/x/exec.config: exit status 3",
		"set -u\n: \"$NOPE\"\n":   "features/x/exec.config: exit status 1",
		"python3 -c 'print(1)'\n": "features/x/exec.config:3: python3 -c 'print(1)': exit status 127\nThe tree has no python3. Add python3 to pkg.include, or for exec.build to pkg.build.",
	} {
		if _, err = run(script, script); err == nil || err.Error() != "step "+scriptID+": "+want {
			t.Errorf("%q: error %v, want %s", script, err, want)
		}
	}
	data, err := run("echo made >/made\nif [ -e /none ]; then exit 1; fi\n", "works")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(data, "made")); err != nil {
		t.Error(err)
	}
	if left, err := layer.Glob(data, "builder*"); err != nil || len(left) > 0 {
		t.Errorf("the layer has %v, error %v", left, err)
	}
}
