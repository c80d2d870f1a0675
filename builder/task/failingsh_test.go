package task

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/sandbox"
)

// TestEndedBySh: the error of a script for sh has its name and its status, and how to find out
// more if errexit can have ended it.
func TestEndedBySh(t *testing.T) {
	const script = ToolSource + "/features/a/exec.config"
	broken := &sandbox.ExitError{Command: sandbox.Command{Argv: []string{script}}, State: "exit status 3", Status: 3}
	for _, c := range []struct {
		name, src, want string
		hint            bool
	}{
		{"errexit", "#!/bin/sh\nset -eu\nfalse\n", "features/a/exec.config: exit status 3", true},
		{"errexit of the first line", "#!/bin/sh -e\nfalse\n", "features/a/exec.config: exit status 3", true},
		{"its own exit", "#!/bin/sh\nexit 3\n", "features/a/exec.config: exit status 3", false},
		{"another interpreter", "#!/usr/bin/python3\nexit(3)\n", script + ": exit status 3", false},
	} {
		tk := &Task{Tree: t.TempDir()}
		if err := errors.Join(os.MkdirAll(filepath.Dir(tk.Tree+script), 0o755), os.WriteFile(tk.Tree+script, []byte(c.src), 0o755)); err != nil {
			t.Fatal(err)
		}
		err := tk.endedBySh(script, broken)
		first, more, _ := strings.Cut(err.Error(), "\n")
		if first != c.want || strings.Contains(more, "#!/bin/bash") != c.hint || !errors.Is(err, broken) {
			t.Errorf("%s: %v", c.name, err)
		}
		killed := &sandbox.ExitError{Status: 137}
		if err := tk.endedBySh(script, killed); err != error(killed) {
			t.Errorf("a signal: %v", err)
		}
	}
}
