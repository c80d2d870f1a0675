package commit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

// planArchive adds the step that packs the repository, unless the flavour turns it off.
func planArchive(p *planner.Planner, c planner.Commit, names ostree.Names) error {
	if !packs(p.Spec) {
		return nil
	}
	_, err := p.Add(ArchiveAction.Step(ArchiveParams{Name: names.Archive}, plan.Step{
		ID: "commit/archive", Stage: "commit", Title: "pack the repository",
		Inputs: map[string]string{"repo": c.Repo}, Output: plan.Dir, MemoryMiB: 128,
		Artifacts: []plan.Artifact{archiveOf(names)},
	}))
	return err
}

// ArchiveParams are the parameters of [ArchiveAction].
type ArchiveParams struct {
	Name string `json:"name"`
}

// ArchiveAction packs the repository as a tarball.
var ArchiveAction = task.Define("archive", 1, packArchive)

// packArchive packs the repository.
func packArchive(ctx context.Context, t *task.Task, p ArchiveParams) error {
	out, err := os.Create(filepath.Join(t.Out, p.Name))
	if err != nil {
		return err
	}
	defer out.Close()
	if err := ostree.Pack(ctx, filepath.Join(t.Inputs["repo"], "repo"), out); err != nil {
		return fmt.Errorf("pack repository: %w", err)
	}
	return out.Close()
}
