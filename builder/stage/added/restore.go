package added

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/stage/shape"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// RestoreAction gives the tree of a commit the shape that it had before: /etc, the package database and the
// directories of the machine's owner are where packages expect them.
var RestoreAction = task.Define("restore-tree", 1, restore)

func restore(ctx context.Context, t *task.Task, _ struct{}) error {
	db := t.Distro.Database()
	if !treefs.Exists(filepath.Join(t.Tree, db.CommittedDir(), db.StateFile())) {
		return fmt.Errorf("the commit has no /%s/%s, the list of its packages, so none can be added", db.CommittedDir(), db.StateFile())
	}
	for _, m := range [][2]string{{"usr/etc", "etc"}, {db.CommittedDir(), db.Dir()}} {
		if err := move(t.Tree, m[0], m[1]); err != nil {
			return fmt.Errorf("restore /%s: %w", m[1], err)
		}
	}
	if err := firstContent(ctx, t); err != nil {
		return fmt.Errorf("restore /var: %w", err)
	}
	for _, l := range machine.TopLinks {
		if l.Content == "" {
			continue
		}
		if err := owned(t.Tree, l.Name, path.Join(path.Dir(l.Name), l.Target)); err != nil {
			return fmt.Errorf("restore /%s: %w", l.Name, err)
		}
	}
	for _, s := range shape.Shipped() {
		if err := shipped(t.Tree, s.Name, s.To); err != nil {
			return fmt.Errorf("restore /%s: %w", s.Name, err)
		}
	}
	return t.Release()
}

// move moves a directory of the tree. Overlayfs cannot rename the directories of lower layers.
func move(tree, from, to string) error {
	if err := os.MkdirAll(filepath.Join(tree, path.Dir(to)), 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(tree, to)); err != nil {
		return err
	}
	if err := layer.CopyTree(filepath.Join(tree, from), filepath.Join(tree, to)); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(tree, from))
}

// firstContent fills /var by the tree's own rules, like a machine at its first boot.
func firstContent(ctx context.Context, t *task.Task) error {
	for _, dir := range []string{"var/tmp", "tmp", "run"} {
		if err := os.MkdirAll(filepath.Join(t.Tree, dir), 0o755); err != nil {
			return err
		}
	}
	return t.InTree(ctx, "systemd-tmpfiles", "--create", "--boot", "--prefix=/var", "--graceful")
}

// owned replaces a machine's link by a directory, with the files that the rules have made
// at the target of the link.
func owned(tree, name, target string) error {
	if err := os.Remove(filepath.Join(tree, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if treefs.Exists(filepath.Join(tree, target)) {
		return move(tree, target, name)
	}
	return os.MkdirAll(filepath.Join(tree, name), 0o755)
}

// shipped replaces the links below name by the files at to, which the commit ships.
func shipped(tree, name, to string) error {
	entries, err := os.ReadDir(filepath.Join(tree, to))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, at := filepath.Join(tree, to, e.Name()), filepath.Join(tree, name, e.Name())
		info, err := os.Lstat(at)
		if err == nil && info.IsDir() {
			// One of the directories in which each entry has its own link.
			if err := shipped(tree, path.Join(name, e.Name()), path.Join(to, e.Name())); err != nil {
				return err
			}
			continue
		}
		if err := os.RemoveAll(at); err != nil {
			return err
		}
		if err := layer.CopyTree(from, at); err != nil {
			return err
		}
	}
	return nil
}
