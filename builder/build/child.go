package build

import (
	"context"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/gardenlinux/imagetool"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/stage"
)

// Child does the work of a process that a build has started, if this process is
// one: steps, and the programs that scripts of cnames call, are carried out by
// the program that builds, started once more. So every program that builds begins
// with it, and ends if done is true. args are all of the program's.
//
// It also sets this process's umask, as whoever starts a build has no say in what
// it makes.
func Child(ctx context.Context, args []string) (done bool, err error) {
	for _, p := range imagetool.Programs() {
		if len(args) > 0 && p.Name == filepath.Base(args[0]) {
			return true, p.Run(ctx, args[1:], os.Getenv, imagetool.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
		}
	}
	sandbox.SetMask()
	if len(args) < 2 || args[1] != engine.ExecVerb {
		return false, nil
	}
	return true, engine.StepExec(ctx, stage.Actions, Families, os.NewFile(3, "request"), os.NewFile(4, "reply"))
}
