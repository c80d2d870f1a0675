package layer

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// defaultACL is user::rwx, user:1:rwx, group::rwx, mask::rwx, other::---, as
// Linux keeps it (posix_acl_xattr.h): a version, then tag, permissions and ID.
var defaultACL = []byte{
	2, 0, 0, 0,
	1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 1, 0, 0, 0,
	4, 0, 7, 0, 255, 255, 255, 255, 16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
}

// TestDraftsTakeNothingFromTheCaller: the directory that becomes the root of a
// tree, and what is made in it, are the same under any umask, and below a
// directory that hands its group and ACL down.
func TestDraftsTakeNothingFromTheCaller(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"umask": func(t *testing.T, _ string) {
			old := unix.Umask(0o077)
			t.Cleanup(func() { unix.Umask(old) })
		},
		"group": func(t *testing.T, dir string) {
			if os.Geteuid() != 0 {
				treetest.Skip(t, "needs root, to give a directory to another group")
			}
			if err := os.Chown(dir, 0, 12345); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, 0o777|os.ModeSetgid); err != nil {
				t.Fatal(err)
			}
		},
		"ACL": func(t *testing.T, dir string) {
			if err := unix.Setxattr(dir, "system.posix_acl_default", defaultACL, 0); err != nil {
				treetest.Skip(t, "needs a file system with ACLs: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			prepare(t, root)
			s, err := Open(filepath.Join(root, "cache"))
			if err != nil {
				t.Fatal(err)
			}
			d := begin(t, s, testKey)
			defer d.Abort()
			made := []string{filepath.Join(d.Data, "made"), filepath.Join(d.Dir, "made")}
			for _, dir := range made {
				if err := os.Mkdir(dir, 0o750); err != nil {
					t.Fatal(err)
				}
			}
			for _, dir := range append(made, d.Data, d.Scratch) {
				info, err := os.Stat(dir)
				if err != nil {
					t.Fatal(err)
				}
				want := os.FileMode(0o755)
				if filepath.Base(dir) == "made" {
					// The umask of who makes it counts; a step has its own.
					want = 0o750 &^ os.FileMode(currentMask())
				}
				if dir != made[1] && info.Mode() != os.ModeDir|want {
					t.Errorf("%s has mode %v, not %v", dir, info.Mode(), want)
				}
				if gid := info.Sys().(*syscall.Stat_t).Gid; dir != made[1] && gid == 12345 {
					t.Errorf("%s has the group of the cache's directory", dir)
				}
				for _, acl := range []string{"system.posix_acl_default", "system.posix_acl_access"} {
					if _, err := unix.Getxattr(dir, acl, nil); err == nil {
						t.Errorf("%s has an ACL, %s", dir, acl)
					}
				}
			}
		})
	}
}

func currentMask() int {
	mask := unix.Umask(0o022)
	unix.Umask(mask)
	return mask
}
