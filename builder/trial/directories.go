package trial

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
)

// keptDir is the directory, among what is private, of a machine that is kept.
const keptDir = "persist"

// keep returns the directory for the files of a machine that is kept. Nobody else
// may use it until done is called; waiting is called if somebody does.
func keep(ctx context.Context, private string, waiting func()) (dir string, done func() error, err error) {
	dir = filepath.Join(private, keptDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	unlock, err := layer.LockFile(ctx, filepath.Join(dir, lockName), waiting)
	return dir, func() error { unlock(); return nil }, err
}

// throwAway returns a directory for the files of a machine that done removes.
func throwAway(ctx context.Context, private string) (dir string, done func() error, err error) {
	if err := sweepRuns(private); err != nil {
		return "", nil, err
	}
	if dir, err = os.MkdirTemp(private, runPrefix); err != nil {
		return "", nil, err
	}
	unlock, err := layer.LockFile(ctx, filepath.Join(dir, lockName), func() {})
	return dir, func() error { unlock(); return os.RemoveAll(dir) }, err
}

const lockName = ".lock"

// runPrefix begins the names of the directories of machines that are thrown away.
const runPrefix = ".run-"

// sweepRuns removes the directories of machines whose run was killed.
func sweepRuns(parent string) error {
	dirs, err := layer.Glob(parent, runPrefix+"*")
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		alive, err := held(filepath.Join(dir, lockName))
		if err != nil {
			return err
		}
		if alive {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// held reports whether a process holds the lock on a file.
func held(path string) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	// Shared: of two processes that look, neither is to take the other for the holder.
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}
