package build

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/worker"
)

// begun reports that [Child] was called. Without it the process of a step would be the
// whole program once more, which waits for its own build.
var begun atomic.Bool

// Child does the work of a process that a build has started, if this process is
// one: steps, and the programs that scripts call, are carried out by
// the program that builds, started once more. So every program that builds begins
// with it, and ends if done is true. args are all of the program's. An error begins
// with the name of the program that it is from.
//
// It also sets this process's umask, because the caller of a build must not change what
// it makes.
func Child(ctx context.Context, args []string) (done bool, err error) {
	if done, err := runHelper(ctx, args); done {
		return true, err
	}
	sandbox.SetMask()
	begun.Store(true)
	switch {
	case len(args) == 2 && args[1] == worker.Verb:
		err := worker.Work(ctx, Actions, Families, os.Stdout)
		if _, quiet := diag.OnlyEnded(err); err == nil || quiet {
			return true, err
		}
		return true, fmt.Errorf("treewright: %w", err)
	case len(args) < 2 || args[1] != engine.ExecVerb:
		return false, nil
	}
	if err := engine.StepExec(ctx, Actions, Families, os.NewFile(3, "request"), os.NewFile(4, "reply")); err != nil {
		return true, fmt.Errorf("treewright: %w", err)
	}
	return true, nil
}
