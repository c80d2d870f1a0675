package task

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
)

// lendSecrets shows the programs in a prepared root the step's secrets: files in
// memory that only root can read, in a directory that nothing can be added to.
func (t *Task) lendSecrets(root string) error {
	if len(t.Secrets) == 0 {
		return nil
	}
	dir := root + plan.SecretsDir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("lend secrets: %w", err)
	}
	if err := sandbox.MountTmpfs(dir, "0700"); err != nil {
		return err
	}
	for name, content := range t.Secrets {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o400); err != nil {
			return fmt.Errorf("lend secrets: %w", err)
		}
	}
	return sandbox.Bind(dir, dir, true)
}
