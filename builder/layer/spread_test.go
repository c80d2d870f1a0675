package layer

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDraftsAreSpread: drafts are made in a directory with chattr(1)'s attribute T, where the file system
// has that.
func TestDraftsAreSpread(t *testing.T) {
	root := t.TempDir()
	if _, err := Open(root); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(filepath.Join(root, "drafts"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	flags, err := unix.IoctlGetUint32(int(dir.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(dir.Fd()), unix.FS_IOC_SETFLAGS, int(flags|topDir))
	}
	if err == nil && flags&topDir == 0 {
		t.Error("the file system was not asked to spread drafts")
	}
}
