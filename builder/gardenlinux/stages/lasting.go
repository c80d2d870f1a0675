package stages

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/task"
)

// prepareLasting is [task.Task.PrepareTree] that leaves the tree's own /tmp and /run
// in place. They are bound elsewhere before anything is mounted on them.
func prepareLasting(t *task.Task) error {
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

// lingering is how long programs that a script left running may go on.
const lingering = 10 * time.Minute

// runToEnd runs a script and waits until nobody holds its output any more. Scripts
// leave work to programs in the background (bash does not wait for those of
// ">(...)"), and the Garden Linux builder, which reads from a pipe, waits for them.
func runToEnd(ctx context.Context, t *task.Task, cmd sandbox.Command) error {
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
			t.Warn("%s left programs running, which were killed", cmd.Argv[0])
		}
	}
	err = cmd.Run(ctx)
	w.Close() // it may be closed already
	return errors.Join(err, <-ended, r.Close())
}
