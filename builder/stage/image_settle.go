package stage

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
)

// settle prepares a sysroot for mke2fs: no file keeps a time after the epoch,
// or one of access, and no folder is immutable (ostree makes a deployment's
// root so; it could not be removed). It returns the room that all of it takes.
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
			usage.AddFolder(names)
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
		return setTimes(path, min(st.Mtim.Sec, epoch), epoch)
	})
	return usage, err
}

// setTimes sets the times of a file, or of a link itself, in seconds.
func setTimes(path string, mtime, atime int64) error {
	at := []unix.Timespec{{Sec: atime}, {Sec: mtime}}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, at, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimes", Path: path, Err: err}
	}
	return nil
}
