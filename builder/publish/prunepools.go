package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/ostree"
)

// Pools is the directory of pools, which [extend.PoolDir] describes, whether there is one or not.
func (o Output) Pools() string { return filepath.Join(o.Public, extend.PoolDir) }

// Pool is the directory of the pool of a commit, whether there is one or not.
func (o Output) Pool(commit string) string { return filepath.Join(o.Pools(), commit) }

var poolName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// prunePools removes the pools of commits that no repository beside them has any more, and packages that
// no pool has. A pool that cannot be read keeps all packages.
func (f *Finished) prunePools(output Output) error {
	entries, err := os.ReadDir(output.Pools())
	if errors.Is(err, fs.ErrNotExist) || f.Pools == nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tidy up the pools: %w", err)
	}
	used := map[string]bool{}
	for _, e := range entries {
		if !poolName.MatchString(e.Name()) {
			continue
		}
		dir := output.Pool(e.Name())
		there, err := hasCommit(output.Public, e.Name())
		if err == nil && !there {
			err = discardPool(dir)
		} else if err == nil {
			err = f.usedBy(dir, used)
		}
		if err != nil {
			return fmt.Errorf("tidy up the pools: %w", err)
		}
	}
	files := filepath.Join(output.Pools(), distro.PoolFiles)
	packages, err := os.ReadDir(files)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("tidy up the pools: %w", err)
	}
	for _, e := range packages {
		if !used[distro.PoolFiles+"/"+e.Name()] {
			if err := os.RemoveAll(filepath.Join(files, e.Name())); err != nil {
				return fmt.Errorf("tidy up the pools: %w", err)
			}
		}
	}
	return nil
}

// hasCommit reports whether a repository in a directory has a commit. That it cannot be looked at is an error.
func hasCommit(public, sum string) (bool, error) {
	entries, err := os.ReadDir(public)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		_, err := os.Lstat(filepath.Join(public, e.Name(), ostree.ObjectPath(sum+".commit")))
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}

// discardPool removes a pool. It is not seen from the first moment on.
func discardPool(dir string) error {
	tmp := beside(dir)
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := os.Rename(dir, tmp); err != nil {
		return err
	}
	return os.RemoveAll(tmp)
}

// usedBy notes the packages of a pool.
func (f *Finished) usedBy(dir string, used map[string]bool) error {
	packages, err := f.Pools.Pooled(filepath.Base(dir), func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) })
	if err != nil {
		return fmt.Errorf("%s cannot be read, so no package is removed: %w", dir, err)
	}
	for _, p := range packages {
		used[f.Pools.PooledFile(p)] = true
	}
	return nil
}
