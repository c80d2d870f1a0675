package build

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/rules"
)

// checkLocks finds lock files that cannot be read, which is the error, and those of flavours
// that do not exist.
func (b *Builder) checkLocks(p *config.Project) (stray hcl.Diagnostics, err error) {
	entries, err := os.ReadDir(filepath.Join(b.options.Tree, config.FlavoursDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	bad := &diag.Faults{Files: map[string]*hcl.File{}}
	for _, e := range entries {
		name, ok := lock.FlavourOf(e.Name())
		if !ok {
			continue
		}
		if _, err := rules.Flavour(p, name); err != nil {
			stray = append(stray, config.Warning(config.FileStart(path.Join(config.FlavoursDir, e.Name())), "Lock file of no flavour",
				"There is no flavour %q, so nothing is built by this lock. If the flavour was renamed, remove the file and lock the flavour by its new name.", name))
			continue
		}
		var faults *diag.Faults
		if _, err := b.readLock(lock.Path(name), name); errors.As(err, &faults) {
			bad.List = append(bad.List, faults.List...)
			for file, text := range faults.Files {
				bad.Files[file] = text
			}
		} else if err != nil {
			return stray, err
		}
	}
	if len(bad.List) > 0 {
		return stray, bad
	}
	return stray, nil
}
