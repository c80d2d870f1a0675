package engine

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
)

// complain is an action that fails because of files of the tree.
var complain = task.Define("complain-for-test", 1, func(_ context.Context, _ *task.Task, p complaint) error {
	return &diag.OfPaths{Paths: p.Paths, Err: errors.New("these files are secrets")}
})

type complaint struct {
	Paths []string `json:"paths"`
}

// TestRootPathsThatAStepNames: the files that a step's process complains of come out of it,
// so that the step which made them can be found in the layers.
func TestRootPathsThatAStepNames(t *testing.T) {
	needRoot(t)
	paths := []string{"/etc/web/server.key", "/etc/x"}
	g := graphOf(t, complain.Step(complaint{paths}, plan.Step{ID: "check"}))
	sink := &recorder{}
	e := &Engine{Store: openStore(t), Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: t.TempDir()}
	_, err := e.Run(t.Context(), g, []string{"check"})
	var failed *StepError
	if !errors.As(err, &failed) || !slices.Equal(failed.Paths, paths) || failed.Err.Error() != "these files are secrets" {
		t.Errorf("error %v, %+v", err, failed)
	}
}
