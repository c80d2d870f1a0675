package added

import (
	"context"

	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/task"
)

// repositorySource is the source with the commit.
const repositorySource = "repository"

// CheckoutParams are the parameters of [CheckoutAction].
type CheckoutParams struct {
	// Tree names the tree, as [Base] does.
	Tree string `json:"tree"`
}

// CheckoutAction writes the tree of a commit.
var CheckoutAction = task.Define("checkout", 1, checkOut)

func checkOut(ctx context.Context, t *task.Task, p CheckoutParams) error {
	repo, err := ostree.OpenToRead(t.Sources[repositorySource])
	if err != nil {
		return err
	}
	return repo.Checkout(ctx, p.Tree, t.Tree)
}
