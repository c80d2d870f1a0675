package commit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// copyKernels puts what belongs to a kernel beside its modules, where ostree
// looks, as /boot is empty in a commit. Since forky Debian's kernels are there
// already.
func copyKernels(tree string) error {
	modules := filepath.Join(tree, "usr/lib/modules")
	kernels, err := os.ReadDir(modules)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look for kernels: %w", err)
	}
	for _, k := range kernels {
		for _, name := range []string{"vmlinuz", "config", "System.map"} {
			from, to := filepath.Join(tree, "boot", name+"-"+k.Name()), filepath.Join(modules, k.Name(), name)
			if !treefs.Exists(from) || treefs.Exists(to) {
				continue
			}
			content, err := os.ReadFile(from)
			if err != nil {
				return err
			}
			if err := os.WriteFile(to, content, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// InitramfsAction makes an initramfs for each kernel of a tree.
var InitramfsAction = task.Define("initramfs", 2, func(ctx context.Context, t *task.Task, _ struct{}) error {
	return makeInitramfs(ctx, t)
}).Recorded()

// RawInitramfsAction is [InitramfsAction] without compression. It is an action of its own
// because a parameter, even one that is not set, changes the keys of all flavours.
var RawInitramfsAction = task.Define("raw-initramfs", 1, func(ctx context.Context, t *task.Task, _ struct{}) error {
	// The option prevails over the tree's own configuration.
	return makeInitramfs(ctx, t, "--no-compress")
}).Recorded()

// makeInitramfs makes an initramfs for each kernel of the tree, by the
// tree's own dracut, configuration and further options, where ostree looks for it.
func makeInitramfs(ctx context.Context, t *task.Task, options ...string) error {
	if err := copyKernels(t.Tree); err != nil {
		return err
	}
	kernels, err := layer.Glob(t.Tree, "usr/lib/modules/*/vmlinuz")
	if err != nil {
		return err
	}
	if len(kernels) == 0 {
		return errors.New("the tree has no kernel, neither at /usr/lib/modules/VERSION/vmlinuz nor in /boot; a feature must include one (base does)")
	}
	if _, err := os.Stat(filepath.Join(t.Tree, "usr/bin/dracut")); err != nil {
		return errors.New("the tree has no dracut to make an initramfs; a feature must include it (base does)")
	}
	t.MachineClock = true // by ldd(1), dracut finds the library of another clock
	dracut := append([]string{"dracut", "--force", "--no-hostonly", "--reproducible", "--tmpdir", "/tmp"}, options...)
	for _, k := range kernels {
		version := filepath.Base(filepath.Dir(k))
		if err := t.InTree(ctx, slices.Concat(dracut, []string{"--kver", version, "/usr/lib/modules/" + version + "/initramfs.img"})...); err != nil {
			return fmt.Errorf("make initramfs for %s: %w", version, err)
		}
		// It holds what any user may read in /usr, and pulls go faster for it.
		if err := os.Chmod(filepath.Join(filepath.Dir(k), "initramfs.img"), 0o644); err != nil {
			return err
		}
	}
	if err := t.Release(); err != nil {
		return err
	}
	// dracut logs there.
	return os.RemoveAll(filepath.Join(t.Tree, "var/log/dracut.log"))
}
