package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/treefs"
)

// settle prepares a sysroot for mke2fs: no file keeps a time after the epoch,
// or one of access, and no directory is immutable (ostree makes a deployment's
// root so; it could not be removed). It returns the space that all of it takes.
func settle(dir string, epoch int64) (format.Ext4Usage, error) {
	var usage format.Ext4Usage
	counted := map[uint64]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
		switch {
		case d.IsDir():
			if err := layer.ClearImmutable(path); err != nil {
				return err
			}
			entries, err := os.ReadDir(path)
			if err != nil {
				return err
			}
			names := make([]string, len(entries))
			for i, e := range entries {
				names[i] = e.Name()
			}
			usage.AddDirectory(names)
		case st.Nlink > 1 && counted[st.Ino]:
			return nil
		default:
			counted[st.Ino] = true
			if d.Type() == fs.ModeSymlink {
				usage.AddLink(st.Size)
			} else {
				usage.AddFile(st.Size)
			}
		}
		return treefs.SetTimes(path, min(st.Mtim.Sec, epoch), epoch)
	})
	return usage, err
}

// addFirstBoot counts what the first boot of the deployments in a sysroot makes
// in /var: the free space that is asked for is that of a machine in use.
func addFirstBoot(usage *format.Ext4Usage, sysroot string) error {
	deployments, err := layer.Glob(sysroot, "ostree/deploy/*/deploy/*/usr")
	if err != nil {
		return err
	}
	for _, usr := range deployments {
		// A copy of each file in the factory...
		err := filepath.WalkDir(filepath.Join(filepath.Dir(usr), machine.Factory), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err == nil && !d.IsDir() {
				usage.AddFile(info.Size())
			}
			return err
		})
		if err != nil {
			return err
		}
		// ...and for each rule a directory at the most, and a link that hides it.
		rules, err := layer.Glob(filepath.Join(usr, "lib/tmpfiles.d"), machine.FirstRules+"*")
		if err != nil {
			return err
		}
		for i, rule := range rules {
			rules[i] = filepath.Base(rule)
			usage.AddDirectory(nil)
			usage.AddLink(int64(len("/dev/null")))
		}
		usage.AddDirectory(rules)
	}
	return nil
}
