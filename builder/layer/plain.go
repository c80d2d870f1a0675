package layer

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// plainDir makes a directory that is the same for every caller and place:
// the data of a step becomes the root of a tree, and what is made in it takes
// after it. A umask would show in its mode, and the cache's directory may hand
// down its group and ACL (acl(5), "object creation and default ACLs").
func plainDir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := withoutACL(dir); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 0, 0); err != nil {
			return err
		}
	}
	// Last, as it takes the set-group-ID bit away, which is handed down too.
	return os.Chmod(dir, 0o755)
}

// withoutACL removes the ACLs that a directory got from the one it is in.
func withoutACL(dir string) error {
	for _, name := range []string{"system.posix_acl_default", "system.posix_acl_access"} {
		err := unix.Removexattr(dir, name)
		if err != nil && !errors.Is(err, unix.ENODATA) && !errors.Is(err, unix.ENOTSUP) {
			return fmt.Errorf("remove the ACL: %w", &os.PathError{Op: "removexattr", Path: dir, Err: err})
		}
	}
	return nil
}
