package source

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treefs"
)

// ImportRenamed takes a snapshot of files of the configuration tree, by the names
// that they get in it; the paths are slash-separated. Where they are, and what they
// are called there, does not count.
func (s Snapshots) ImportRenamed(name string, files map[string]string) (plan.Source, error) {
	root, err := os.OpenRoot(s.Tree)
	if err != nil {
		return plan.Source{}, fmt.Errorf("read %s: %w", s.Tree, err)
	}
	defer root.Close()
	tree := treefs.Within(root)
	return s.snapshot(name, name, tree, func(visit func(config.File) error) error {
		for _, as := range slices.Sorted(maps.Keys(files)) {
			real, err := config.Follow(tree, files[as])
			if err != nil {
				return err
			}
			info, err := fs.Stat(tree, real)
			if err != nil {
				return err
			}
			if err := visit(config.File{Name: as, Real: real, Info: info}); err != nil {
				return err
			}
		}
		return nil
	})
}
