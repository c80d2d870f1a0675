package stage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/config"
)

// originSteps are the steps after which one can tell from a tree who put what
// there: IDs of steps, each of a whole tree.
type originSteps struct{ bootstrap, early, packages, files, scripts string }

// inputs names the trees for the step that asks.
func (o originSteps) inputs() map[string]string {
	return map[string]string{"bootstrap": o.bootstrap, "early": o.early, "packages": o.packages, "files": o.files, "scripts": o.scripts}
}

// origins says which files of a tree are there because of a feature. Paths are
// relative to the root.
type origins struct {
	// brought are those of file.include and exec.build, or that
	// file.include.stat names; scripted are what scripts made or changed.
	brought, scripted map[string]bool
}

// stateDirs are the parts of a tree that become a machine's own, or what a
// commit ships by way of /var, and that a commit empties.
var stateDirs = []string{
	"var", "home", "root", "srv", "opt", "mnt", "usr/local",
	"boot", "efi", "tmp", "run", "dev", "proc", "sys", "sysroot", "ostree", "media", "usr/etc", "usr/share/factory/var", "usr/lib/sysimage/dpkg",
}

// findOrigins compares the trees of a composition below stateDirs, and /etc.
func findOrigins(steps map[string]string) (*origins, error) {
	o := &origins{brought: map[string]bool{}, scripted: map[string]bool{}}
	for _, c := range []struct {
		into          map[string]bool
		before, after string
	}{{o.brought, steps["packages"], steps["files"]}, {o.scripted, steps["bootstrap"], steps["early"]}, {o.scripted, steps["files"], steps["scripts"]}} {
		for _, dir := range append(stateDirs[:len(stateDirs):len(stateDirs)], "etc") {
			if err := addChanged(c.into, c.before, c.after, dir); err != nil {
				return nil, fmt.Errorf("see who made /%s: %w", dir, err)
			}
		}
	}
	return o, nil
}

// addChanged adds what lies below dir in one tree and is not the same in the
// one before.
func addChanged(into map[string]bool, before, after, dir string) error {
	return filepath.WalkDir(filepath.Join(after, dir), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(after, path)
		if err != nil {
			return err
		}
		same, err := sameFile(filepath.Join(before, rel), path)
		if !same {
			into[rel] = true
		}
		return err
	})
}

// sameFile compares all of two files but their times.
func sameFile(a, b string) (bool, error) {
	one, err := os.Lstat(a)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	two, err := os.Lstat(b)
	if err != nil {
		return false, err
	}
	s, t := one.Sys().(*syscall.Stat_t), two.Sys().(*syscall.Stat_t)
	if one.Mode() != two.Mode() || s.Uid != t.Uid || s.Gid != t.Gid || !one.IsDir() && one.Size() != two.Size() {
		return false, nil
	}
	switch one.Mode().Type() {
	case fs.ModeSymlink:
		from, err := os.Readlink(a)
		to, err2 := os.Readlink(b)
		return from == to, errors.Join(err, err2)
	case 0:
		return sameContent(a, b)
	}
	return true, nil
}

// byFeature says whether a feature had a hand in a path.
func (o *origins) byFeature(rel string) bool { return o.brought[rel] || o.scripted[rel] }

// below says whether a feature had a hand in a path or what lies below it.
func (o *origins) below(rel string) bool {
	for _, set := range []map[string]bool{o.brought, o.scripted} {
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

// misplaced finds what features put where a commit has nothing. The check of
// the configuration finds most of it; here is what exec.build and scripts made.
func misplaced(tree string, o *origins) error {
	var faults []string
	for _, p := range config.Places {
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
			// A script's dpkg writes to its own database.
			if !o.byFeature(rel) || p.Path == "boot" && hasPrefix(d.Name(), kernelFiles) || p.Path == "var/lib/dpkg" && !o.brought[rel] {
				return nil
			}
			if d.IsDir() {
				if entries, err := os.ReadDir(path); err != nil || len(entries) > 0 {
					return err
				}
			}
			faults = append(faults, fmt.Sprintf("/%s: %s", rel, p.Reason))
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return errors.New("features left files that cannot reach a machine (./build why FLAVOUR FILE says which feature):\n  " + strings.Join(faults, "\n  "))
}

func hasPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
