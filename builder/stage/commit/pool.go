package commit

import (
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
)

// planPool adds the step that downloads the packages that machines may add later. No other step has its result, so that the commit
// is the same without it. It is published beside the commit.
func planPool(p *planner.Planner) error {
	if p.Packages.Pool == nil {
		return nil
	}
	added := p.Packages.Pool.Minus(p.Packages.System)
	if len(added.Packages) == 0 {
		return nil
	}
	return p.FetchPool(added, plan.Artifact{Name: "pool", Path: ".", Kind: plan.PoolArtifact, Description: "packages that machines may add to the commit"})
}
