package added

import (
	"context"
	"path/filepath"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// The program of a commit that removes the secrets that packages have made, and the directory with units
// by which machines make their own. The feature base ships both. A commit without them keeps the secrets, which then are a fault.
const (
	secretsProgram = "usr/lib/treewright/own-secrets"
	secretsUnits   = "usr/lib/treewright/first-boot"
)

// SecretsAction runs that program.
var SecretsAction = task.Define("own-secrets", 1, ownSecrets)

func ownSecrets(ctx context.Context, t *task.Task, _ struct{}) error {
	if !treefs.Exists(filepath.Join(t.Tree, secretsProgram)) {
		return nil
	}
	if err := t.InTree(ctx, "/"+secretsProgram, "/"+secretsUnits); err != nil {
		return err
	}
	return t.Release()
}

// PlanSecrets plans the removal of secrets after packages were installed.
func PlanSecrets(p *planner.Planner, tip string) (string, error) {
	return p.Add(SecretsAction.Step(struct{}{}, plan.Step{
		ID: "extension/own-secrets", Stage: "extension", Title: "leave secrets to each machine", Base: tip, Output: plan.Layer, MemoryMiB: 64,
	}))
}
