package origin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/treefs"
)

// Origins describes which files of a tree are there because of a feature. Paths are
// relative to the root.
type Origins struct {
	// Brought are those of file.include and exec.build, or that
	// file.include.stat names; scripted are what scripts made or changed.
	Brought, Scripted map[string]bool
}

// StateDirs are the parts of a tree that become a machine's own, or what a
// commit ships by way of /var, and that a commit empties.
var StateDirs = []string{
	"var", "home", "root", "srv", "opt", "mnt", "usr/local",
	"boot", "efi", "tmp", "run", "dev", "proc", "sys", "sysroot", "ostree", "media", "usr/etc", "usr/share/factory/var",
}

// Find compares the trees of a composition below [StateDirs], the place that the
// package database has in a commit, and /etc.
func Find(db distro.Database, steps map[string]string) (*Origins, error) {
	dirs := append(slices.Clone(StateDirs), db.CommittedDir(), "etc")
	o := &Origins{Brought: map[string]bool{}, Scripted: map[string]bool{}}
	for _, c := range []struct {
		into          map[string]bool
		before, after string
	}{{o.Brought, steps["packages"], steps["files"]}, {o.Scripted, steps["bootstrap"], steps["early"]}, {o.Scripted, steps["files"], steps["scripts"]}} {
		for _, dir := range dirs {
			if err := treefs.AddChanged(c.into, c.before, c.after, dir); err != nil {
				return nil, fmt.Errorf("see who made /%s: %w", dir, err)
			}
		}
	}
	return o, nil
}

// ByFeature reports whether a feature had a hand in a path.
func (o *Origins) ByFeature(rel string) bool { return o.Brought[rel] || o.Scripted[rel] }

// Below reports whether a feature had a hand in a path or what is below it.
func (o *Origins) Below(rel string) bool {
	for _, set := range []map[string]bool{o.Brought, o.Scripted} {
		for path := range set {
			if path == rel || strings.HasPrefix(path, rel+"/") {
				return true
			}
		}
	}
	return false
}

// kernelFiles begin the names of what packages of kernels put into /boot, also
// if a script installs them.
var kernelFiles = []string{"vmlinuz-", "config-", "System.map-", "initrd.img-"}

// Misplaced finds what features put where a commit has nothing. The check of
// the configuration finds most of it; here is what exec.build and scripts made.
func Misplaced(tree string, db distro.Database, o *Origins) error {
	var faults, paths []string
	for _, p := range slices.Concat(config.Places, config.DatabasePlaces(db.Dir(), db.CommittedDir())) {
		root := filepath.Join(tree, p.Path)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || path == root {
				return err
			}
			rel, err := filepath.Rel(tree, path)
			if err != nil {
				return err
			}
			// Packages that a script installs are noted in the database.
			if !o.ByFeature(rel) || p.Path == "boot" && hasPrefix(d.Name(), kernelFiles) || p.Path == db.Dir() && !o.Brought[rel] {
				return nil
			}
			if d.IsDir() {
				if entries, err := os.ReadDir(path); err != nil || len(entries) > 0 {
					return err
				}
			}
			faults, paths = append(faults, fmt.Sprintf("/%s: %s", rel, p.Reason)), append(paths, "/"+rel)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &diag.OfPaths{Paths: paths, Err: errors.New("features left files that cannot reach a machine:\n  " + strings.Join(faults, "\n  "))}
}

func hasPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
