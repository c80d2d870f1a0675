package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// PrepareLasting is [Task.PrepareTree] that leaves the tree's own /tmp and /run
// in place. They are bound elsewhere before anything is mounted on them.
func (t *Task) PrepareLasting() error {
	names := []string{"tmp"}
	if !t.Step.Network {
		// Else there is this machine's apt policy, perhaps with a password.
		names = append(names, "run")
	}
	own := filepath.Join(filepath.Dir(t.Scratch), "own")
	for _, name := range names {
		if err := sandbox.Bind(filepath.Join(t.Tree, name), filepath.Join(own, name), false); err != nil {
			return err
		}
	}
	if err := t.PrepareTree(); err != nil {
		return err
	}
	for _, name := range names {
		if err := sandbox.Bind(filepath.Join(own, name), filepath.Join(t.Tree, name), false); err != nil {
			return err
		}
	}
	return nil
}

// lingering is how long programs that a script left behind may go on.
const lingering = 10 * time.Minute

// RunToEnd runs a script and waits until nobody holds its output any more. Scripts
// leave work to programs in the background (bash does not wait for those of
// ">(...)"), and the Garden Linux builder, which reads from a pipe, waits for them.
func (t *Task) RunToEnd(ctx context.Context, cmd sandbox.Command) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(t.Log, r)
		ended <- err
	}()
	cmd.Stdout, cmd.Stderr = w, w
	cmd.Background = func() {
		w.Close()
		select {
		case err := <-ended:
			ended <- err
		case <-ctx.Done():
		case <-time.After(lingering):
			t.Warn("%s left programs running, which are ended now", cmd.Argv[0])
		}
	}
	err = cmd.Run(ctx)
	w.Close() // it may be closed already
	return errors.Join(err, <-ended, r.Close())
}

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
		return fmt.Errorf("the tree has a /builder of its own: %w", err)
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
	if err := do(); err != nil {
		return err
	}
	if err := t.Release(); err != nil {
		return err
	}
	return os.Remove(builder)
}

// shell runs a shell on the terminal in a root, with the step's environment.
func (t *Task) shell(ctx context.Context, root string) error {
	env := t.Env()
	env["TERM"] = os.Getenv("TERM")
	env["PS1"] = "treewright " + t.Step.ID + " \\w # "
	cmd := sandbox.Command{Root: root, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Argv: []string{"/bin/bash", "--norc"}}
	if _, err := os.Stat(filepath.Join(root, "bin/bash")); err != nil {
		cmd.Argv = []string{"/bin/sh"}
	}
	// How the person leaves the shell is no fault of the step's.
	var exit *sandbox.ExitError
	if err := cmd.Run(ctx); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}
