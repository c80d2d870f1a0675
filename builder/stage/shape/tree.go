package shape

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/lint"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// Params are the parameters of [Action].
type Params struct {
	// Secrets are the secrets that may be in the tree.
	Secrets []lint.AllowedSecret `json:"secrets,omitempty"`
	// HTTPS reports that machines follow a repository by https.
	HTTPS bool `json:"https,omitempty"`
}

// Action brings a tree into the shape that OSTree deploys, and then looks for what
// would break on a machine.
var Action = task.Define("ostree-tree", 12, shapeTree)

// shapeTree brings a tree into the shape that OSTree deploys, and then looks
// for what would break on a machine.
func shapeTree(_ context.Context, t *task.Task, p Params) error {
	if err := restoreNames(t); err != nil {
		return err
	}
	db := t.Distro.Database()
	from, err := origin.Find(db, t.Inputs)
	if err != nil {
		return err
	}
	if err := origin.Misplaced(t.Tree, db, from); err != nil {
		return err
	}
	if err := warnOfEtcRules(t.Tree, from, t.Warn); err != nil {
		return err
	}
	for _, name := range leftovers {
		if err := os.Remove(filepath.Join(t.Tree, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, dir := range []string{"boot", "tmp", "run", "proc", "sys", "dev", "sysroot", "efi"} {
		if err := emptyDir(filepath.Join(t.Tree, dir)); err != nil {
			return err
		}
	}
	move := func(from, to string) error {
		// Overlayfs cannot rename a directory of a lower layer.
		if err := os.MkdirAll(filepath.Dir(filepath.Join(t.Tree, to)), 0o755); err != nil {
			return err
		}
		if err := layer.CopyTree(filepath.Join(t.Tree, from), filepath.Join(t.Tree, to)); err != nil {
			return err
		}
		return os.RemoveAll(filepath.Join(t.Tree, from))
	}
	if err := (&shipper{tree: t.Tree, move: move, from: from, warn: t.Warn}).ship(); err != nil {
		return err
	}
	for _, l := range machine.TopLinks {
		if err := relocate(t.Tree, l.Name, l.Target, l.Content, move); err != nil {
			return fmt.Errorf("move /%s: %w", l.Name, err)
		}
	}
	if err := fillVar(t, from, move); err != nil {
		return err
	}
	if err := move("etc", "usr/etc"); err != nil {
		return err
	}
	err = lint.Tree(t.Tree, db, p.Secrets, t.Warn)
	if p.HTTPS {
		err = errors.Join(err, lint.Certificates(t.Tree))
	}
	return err
}

// Named is the input with the tree whose os-release names the build.
const Named = "named"

// restoreNames puts back the fields that were left out of os-release for the initramfs.
func restoreNames(t *task.Task) error {
	for _, name := range machine.OSReleaseFiles {
		from, to := filepath.Join(t.Inputs[Named], name), filepath.Join(t.Tree, name)
		if !treefs.Exists(from) {
			continue
		}
		same, err := treefs.SameFile(from, to)
		if err == nil && same {
			continue
		}
		if err == nil {
			err = os.Remove(to)
		}
		if err == nil {
			err = layer.CopyTree(from, to)
		}
		if err != nil {
			return fmt.Errorf("name the build: %w", err)
		}
	}
	return nil
}

// fillVar turns what is in /var into rules that make it on a machine.
func fillVar(t *task.Task, from *origin.Origins, move mover) error {
	if err := redirectRules(t.Tree); err != nil {
		return err
	}
	db := t.Distro.Database()
	if err := move(db.Dir(), db.CommittedDir()); err != nil {
		return err
	}
	if err := clearVar(t.Tree, PackagingState(t.Distro), from, t.Warn); err != nil {
		return err
	}
	if err := move("var", machine.Factory); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(t.Tree, "var"), 0o755); err != nil {
		return err
	}
	return writeVarRules(t.Tree, db, from, t.Warn)
}

// relocate moves what is at name to content, and puts a link in its place.
func relocate(tree, name, target, content string, move mover) error {
	path := filepath.Join(tree, name)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.Mode().Type() == fs.ModeSymlink:
		if err := os.Remove(path); err != nil {
			return err
		}
	case content == "":
		// Only a mount point: what is in there would never be seen.
		if err := os.Remove(path); err != nil {
			return err
		}
	default:
		if err := treefs.AbsoluteLinks(tree, name, "/"+name); err != nil {
			return err
		}
		if err := mergeInto(tree, name, content, move); err != nil {
			return err
		}
	}
	return os.Symlink(target, path)
}

// mergeInto moves what is at from to to, where there may be something that
// features put there by that name.
func mergeInto(tree, from, to string, move mover) error {
	have, err := os.Lstat(filepath.Join(tree, to))
	if errors.Is(err, fs.ErrNotExist) {
		return move(from, to)
	}
	if err != nil {
		return err
	}
	info, err := os.Lstat(filepath.Join(tree, from))
	if err != nil {
		return err
	}
	if !info.IsDir() || !have.IsDir() {
		return fmt.Errorf("/%s and /%s both exist, but are the same file on a machine", from, to)
	}
	entries, err := os.ReadDir(filepath.Join(tree, from))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := mergeInto(tree, from+"/"+e.Name(), to+"/"+e.Name(), move); err != nil {
			return err
		}
	}
	return os.Remove(filepath.Join(tree, from))
}

// emptyDir makes sure that dir is there and empty.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return layer.Empty(dir)
}

// leftovers are files that nothing on a machine reads: the links to kernels in
// /boot, which will be empty, and the copies that account tools make before
// they change a file.
var leftovers = []string{
	"vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old",
	"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-", "etc/.pwd.lock",
}
