package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
)

// Runnable returns how to run a script inside a root. One that does not say
// what it is written in is one for bash: the Garden Linux builder starts all of
// them from bash, which reads those itself.
func Runnable(root, script string, args ...string) []string {
	argv := append([]string{script}, args...)
	f, err := os.Open(root + script)
	if err != nil {
		return argv // running it says what is the matter
	}
	defer f.Close()
	head := make([]byte, 4)
	if n, _ := io.ReadFull(f, head); n == 0 || strings.HasPrefix(string(head[:n]), "#!") || string(head[:n]) == "\x7fELF" {
		return argv
	}
	return append([]string{"bash"}, argv...)
}

// WithSources shows the step's sources below /builder in the tree while do runs.
func (t *Task) WithSources(do func() error) (err error) {
	if err := t.PrepareTree(); err != nil {
		return err
	}
	builder := t.Tree + ToolSource
	if err := os.Mkdir(builder, 0o755); err != nil {
		return fmt.Errorf("the tree contains a /builder: %w", err)
	}
	if err := sandbox.MountTmpfs(builder, "0755"); err != nil {
		return err
	}
	for _, src := range t.Step.Sources {
		if err := sandbox.Bind(t.Sources[src.Name], filepath.Join(builder, src.Name), true); err != nil {
			return err
		}
	}
	if err := t.LendNetwork(t.Tree); err != nil {
		return err
	}
	if err := t.lendSecrets(t.Tree); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if err := t.Release(); err != nil {
		return err
	}
	return os.Remove(builder)
}

// shell runs a shell on the terminal in a root, with the step's environment, and
// returns with what exit status the person left it.
func (t *Task) shell(ctx context.Context, root string) (status int, err error) {
	env := t.Env()
	env["TERM"] = os.Getenv("TERM")
	env["PS1"] = "treewright " + t.Step.ID + " \\w # "
	cmd := sandbox.Command{Root: root, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Argv: []string{"/bin/bash", "--norc"}}
	if _, err := os.Stat(filepath.Join(root, "bin/bash")); err != nil {
		cmd.Argv = []string{"/bin/sh"}
	}
	var exit *sandbox.ExitError
	if err := cmd.Run(ctx); errors.As(err, &exit) {
		return exit.Status, nil
	} else if err != nil {
		return 0, err
	}
	return 0, nil
}
