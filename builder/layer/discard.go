package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Discard removes a directory unless somebody holds it (see [Store.Hold]) or
// still, which is asked when nobody can any more, says no; it returns whether it
// did. It is first out of sight, in the directory tombs of the same file system,
// then gone: a reader sees all of it or nothing.
func Discard(dir, tombs string, still func() bool) (bool, error) {
	fd, free, err := seize(dir)
	if err != nil || !free {
		return false, err
	}
	defer unix.Close(fd)
	if !still() {
		return false, nil
	}
	tomb, err := os.MkdirTemp(tombs, tombPrefix)
	if err != nil {
		return false, fmt.Errorf("remove %s: %w", dir, err)
	}
	// rename(2) takes the place of an empty directory, and os.Rename does not.
	if err := unix.Rename(dir, tomb); err != nil {
		return false, errors.Join(&fs.PathError{Op: "rename", Path: dir, Err: err}, os.Remove(tomb))
	}
	if err := RemoveAll(tomb); err != nil {
		return true, fmt.Errorf("remove %s: %w", dir, err)
	}
	return true, nil
}
