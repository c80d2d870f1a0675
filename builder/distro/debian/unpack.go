package debian

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
)

// Unpack lays the files of packages over a prepared tree, by its dpkg-deb(1).
func (Family) Unpack(ctx context.Context, w distro.Work) error {
	const inside = "run/treewright/repo"
	if err := sandbox.Bind(w.Repo, filepath.Join(w.Root, inside), true); err != nil {
		return err
	}
	found, err := layer.Glob(w.Repo, "pool/*.deb")
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return errors.New("unpack: the repository has no package")
	}
	for _, file := range found {
		argv := []string{"dpkg-deb", "--extract", "/" + inside + "/pool/" + filepath.Base(file), "/"}
		if err := (sandbox.Command{Argv: argv, Root: w.Root, Env: w.Env, Stdout: w.Log, Stderr: w.Log}).Run(ctx); err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
	}
	return nil
}
