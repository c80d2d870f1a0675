package stage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/task"
)

type archiveParams struct {
	Name string `json:"name"`
}

// archiveAction packs the repository.
func archiveAction(ctx context.Context, t *task.Task) error {
	p, err := task.Params[archiveParams](t)
	if err != nil {
		return err
	}
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
