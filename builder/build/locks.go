package build

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/rules"
)

// strayLocks warns of the lock files of flavours that there are not.
func (b *Builder) strayLocks(p *config.Project) (found hcl.Diagnostics, err error) {
	entries, err := os.ReadDir(filepath.Join(b.options.Tree, config.FlavoursDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name, ok := lock.FlavourOf(e.Name())
		if !ok {
			continue
		}
		if _, err := rules.Flavour(p, name); err == nil {
			continue
		}
		found = append(found, config.Warning(config.FileStart(path.Join(config.FlavoursDir, e.Name())), "Lock file of no flavour",
			"There is no flavour %q, so nothing is built by this lock. If the flavour was renamed, remove the file and lock the flavour by its new name.", name))
	}
	return found, nil
}
