package stage

import (
	"context"
	"fmt"

	"github.com/treewright/treewright/builder/task"
)

// Action carries a step out.
type Action func(ctx context.Context, t *task.Task) error

// Act carries out the task's step by the action it names.
func Act(ctx context.Context, t *task.Task) error {
	action := actions[t.Step.Action]
	if action == nil {
		return fmt.Errorf("step %s: no action is called %q", t.Step.ID, t.Step.Action)
	}
	if t.Facts == nil {
		t.Facts = map[string]string{}
	}
	return action(ctx, t)
}
