package added

import (
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/extension"
	"github.com/treewright/treewright/builder/stage/planner"
)

// Base is the commit that packages are added to.
type Base struct {
	// Tree names its tree, by the checksums "CONTENTS.META" of the root.
	Tree string
	// Repo is the absolute path of an archive repository that has the tree.
	Repo string
}

// RestoredStep is the step that leaves the commit's tree in the shape in which packages install, and programs run.
const RestoredStep = "commit/restore"

// Plan plans the extensions of a request's spec above a commit. In the request's packages, System are the packages of the
// commit.
func Plan(r planner.Request, base Base) (*plan.Graph, error) {
	p := &planner.Planner{Request: r, Ledger: r.History.Accounts}
	committed, err := p.Add(CheckoutAction.Step(CheckoutParams{Tree: base.Tree}, plan.Step{
		ID: "commit/checkout", Stage: "commit", Title: "check out the commit", Output: plan.Layer, MemoryMiB: 256,
		Sources: []plan.Source{{Name: repositorySource, Digest: "ostree-tree:" + base.Tree, Path: base.Repo}},
	}))
	if err != nil {
		return nil, err
	}
	system, err := p.Add(RestoreAction.Step(struct{}{}, plan.Step{
		ID: RestoredStep, Stage: "commit", Title: "bring the tree into the shape that packages install in", Base: committed, Output: plan.Layer, MemoryMiB: 128,
	}))
	if err != nil {
		return nil, err
	}
	return &p.Graph, extension.Plan(p, planner.Commit{System: system, Tree: committed})
}
