package cli

import (
	"context"
	"os"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/engine"
)

var stepExecVerb = &verb{name: engine.ExecVerb, hidden: true, summary: "carry out the step described on file descriptor 3", run: runStepExec}

func runStepExec(ctx context.Context, _ *command) error {
	return engine.StepExec(ctx, build.Actions, build.Families, os.NewFile(3, "request"), os.NewFile(4, "reply"))
}
