package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// View is a root made of parts of the host, for programs of the host that other
// people's files drive. All else of it is empty and in memory. Who is not root
// gets one by a user namespace.
type View struct {
	// Shown are paths of the host that are there, read-only, under their names.
	// One that is missing is left out; a symbolic link stays one.
	Shown []string
	// Hidden are directories below those shown that are empty.
	Hidden []string
	// Writable are directories that can be written to.
	Writable []string
	// Memory is how much of it, in bytes, each program may have; 0: any.
	Memory uint64
	// Installs is for a program that installs packages in a tree below Writable:
	// it may change owners. What it starts in there by chroot(8), which is this
	// program in its place, has what a step's programs have.
	Installs bool
}

// Programs are the parts of the host that its programs need to start.
var Programs = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
	"/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/group", "/etc/nsswitch.conf", "/etc/passwd",
}

// viewTmp bounds what programs in a view leave in memory.
const viewTmp = "size=256m,nr_inodes=100k"

// part is a piece of the host on its way into a view.
type part struct {
	path, link string
	dir        bool
	fd         int
}

// make mounts the view on a directory that it returns.
func (v *View) make() (string, error) {
	parts, err := v.parts()
	if err != nil {
		return "", err
	}
	// Everything has been picked up, so it does not matter what this covers.
	const root = "/tmp"
	if err := unix.Mount("tmpfs", root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,"+viewTmp); err != nil {
		return "", fmt.Errorf("mount a view: %w", err)
	}
	for _, dir := range []string{"dev", "proc", "run", "sys", "tmp", "var/tmp"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return "", err
		}
	}
	for _, dir := range []string{"tmp", "var/tmp"} {
		if err := os.Chmod(filepath.Join(root, dir), 0o777|os.ModeSticky); err != nil {
			return "", err
		}
	}
	for _, p := range parts {
		if err := p.place(root + p.path); err != nil {
			return "", fmt.Errorf("show %s: %w", p.path, err)
		}
	}
	for _, dir := range v.Hidden {
		if !isDir(root + dir) {
			continue
		}
		if err := unix.Mount("tmpfs", root+dir, "tmpfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "mode=0555"); err != nil {
			return "", fmt.Errorf("hide %s: %w", dir, err)
		}
	}
	if v.Installs {
		if err := replaceChroot(root); err != nil {
			return "", fmt.Errorf("replace chroot(8): %w", err)
		}
	}
	return root, nil
}

// enter makes the view, with a /dev, the root of this mount namespace.
func (v *View) enter() error {
	root, err := v.make()
	if err != nil {
		return err
	}
	if err := prepareDev(filepath.Join(root, "dev")); err != nil {
		return err
	}
	return changeRoot(root)
}

// parts picks the pieces up, before anything is mounted over them.
func (v *View) parts() ([]part, error) {
	var parts []part
	pick := func(path string, writable bool) error {
		p := part{path: filepath.Clean(path), fd: -1}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if p.dir = info.IsDir(); info.Mode()&os.ModeSymlink != 0 {
			p.link, err = os.Readlink(path)
			parts = append(parts, p)
			return err
		}
		if p.fd, err = unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE); err != nil {
			return fmt.Errorf("show %s: %w", path, err)
		}
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NODEV, Propagation: unix.MS_PRIVATE}
		if !writable {
			attr.Attr_set |= unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID
		}
		if err := unix.MountSetattr(p.fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
			return fmt.Errorf("show %s: %w", path, err)
		}
		parts = append(parts, p)
		return nil
	}
	shown := slices.Clone(v.Shown)
	slices.Sort(shown)
	for _, path := range slices.Compact(shown) {
		if err := pick(path, false); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	for _, path := range v.Writable {
		if err := pick(path, true); err != nil {
			return nil, err
		}
	}
	// What is below another is mounted on it.
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(len(a.path), len(b.path)) })
	return parts, nil
}

func (p part) place(target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	switch {
	case p.link != "":
		if err := os.Symlink(p.link, target); !errors.Is(err, os.ErrExist) {
			return err
		}
		return nil
	case p.dir:
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
	default:
		// Not emptied: below a writable directory it is the file itself.
		f, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o644)
		if err != nil {
			return err
		}
		f.Close()
	}
	err := unix.MoveMount(p.fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	return errors.Join(err, unix.Close(p.fd))
}

// changeRoot makes root the root of this mount namespace and leaves nothing of
// the old one mounted.
func changeRoot(root string) error {
	// A mount of its own, on which no device node works.
	fd, err := unix.OpenTree(unix.AT_FDCWD, root, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return fmt.Errorf("take %s for root: %w", root, err)
	}
	defer unix.Close(fd)
	nodev := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NODEV}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, nodev); err != nil {
		return fmt.Errorf("take %s for root: %w", root, err)
	}
	if err := unix.MoveMount(fd, "", unix.AT_FDCWD, root, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("take %s for root: %w", root, err)
	}
	if err := unix.Fchdir(fd); err != nil {
		return fmt.Errorf("enter %s: %w", root, err)
	}
	// The new root on the old one, and that taken off again: pivot_root(2).
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("enter %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the host's root: %w", err)
	}
	return unix.Chdir("/")
}
