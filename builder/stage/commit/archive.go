package commit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/task"
)

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
