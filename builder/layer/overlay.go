package layer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Mount mounts the tree made of the given layers (absolute paths, lowest
// first) on target. If upper is not empty, changes go there, and work is
// overlayfs's work directory on the same file system; otherwise the tree is
// read-only. The options that would let the kernel store more than plain files
// in upper are off.
//
// It uses the new mount API (fsopen(2)), with an option a layer, as Linux 6.8
// and later have it; on older ones mount(2).
//
// The list can have a layer several times: steps can make equal layers, and a worker keeps a single copy of equal layers. overlayfs refuses
// such a list. So Mount uses only the highest copy, because it hides the other copies.
func Mount(target string, lowers []string, upper, work string) error {
	lowers = highest(lowers)
	if len(lowers) == 0 || (upper == "" && len(lowers) == 1) {
		// overlayfs wants one lower directory, and two without an upper one.
		empty, err := emptyDir(target)
		if err != nil {
			return err
		}
		lowers = append([]string{empty}, lowers...)
	}
	fd, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("mount tree: %w", err)
	}
	defer unix.Close(fd)
	set := func(key, value string) error {
		if err := unix.FsconfigSetString(fd, key, value); err != nil {
			return fmt.Errorf("mount tree: overlay option %s=%s: %w%s", key, value, err, kernelSays(fd))
		}
		return nil
	}
	// The highest layer comes first.
	for i := len(lowers) - 1; i >= 0; i-- {
		err := set("lowerdir+", lowers[i])
		if errors.Is(err, unix.EINVAL) && i == len(lowers)-1 {
			return mountClassic(target, lowers, upper, work)
		}
		if err != nil {
			return err
		}
	}
	options := [][2]string{{"metacopy", "off"}, {"redirect_dir", "off"}, {"index", "off"}}
	if upper != "" {
		// The kernel takes a backslash in these two, and in no lower one, for an
		// escape.
		escape := strings.NewReplacer(`\`, `\\`).Replace
		options = append(options, [2]string{"upperdir", escape(upper)}, [2]string{"workdir", escape(work)})
	}
	for _, o := range options {
		if err := set(o[0], o[1]); err != nil {
			return err
		}
	}
	attr := unix.MOUNT_ATTR_RDONLY
	if upper != "" {
		attr = 0
		// Nothing here must outlive a power cut: do not wait for the disk.
		if err := unix.FsconfigSetFlag(fd, "volatile"); err != nil {
			return fmt.Errorf("mount tree: %w%s", err, kernelSays(fd))
		}
	}
	return attach(fd, attr, target)
}

// highest returns the layers, lowest first. If the list has a layer several times, highest keeps only its highest copy.
func highest(lowers []string) (once []string) {
	for i, l := range lowers {
		if !slices.Contains(lowers[i+1:], l) {
			once = append(once, l)
		}
	}
	return once
}

// attach makes the file system that fd configures, and mounts it on target.
func attach(fd, attr int, target string) error {
	if err := unix.FsconfigCreate(fd); err != nil {
		return fmt.Errorf("mount tree: %w%s", err, kernelSays(fd))
	}
	mfd, err := unix.Fsmount(fd, unix.FSMOUNT_CLOEXEC, attr)
	if err != nil {
		return fmt.Errorf("mount tree: %w%s", err, kernelSays(fd))
	}
	defer unix.Close(mfd)
	if err := unix.MoveMount(mfd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount tree on %s: %w", target, err)
	}
	return nil
}

// Unmount takes the tree off target. What still uses it keeps its view.
func Unmount(target string) error {
	if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount tree: %w", err)
	}
	return nil
}

// mountClassic does the same with mount(2), whose options must fit into a page.
// So the layers go by short names, as links in a directory that is the working
// directory meanwhile; that is why this is only for a process that has nothing
// else to do then, as a step's own is while it mounts.
func mountClassic(target string, lowers []string, upper, work string) error {
	names, err := os.MkdirTemp(filepath.Dir(target), ".layers-")
	if err != nil {
		return fmt.Errorf("mount tree: %w", err)
	}
	defer os.RemoveAll(names)
	short := make([]string, len(lowers))
	for i, l := range lowers {
		// The highest layer comes first.
		short[len(lowers)-1-i] = strconv.Itoa(i)
		if err := os.Symlink(l, filepath.Join(names, strconv.Itoa(i))); err != nil {
			return fmt.Errorf("mount tree: %w", err)
		}
	}
	options := "metacopy=off,redirect_dir=off,index=off,lowerdir=" + strings.Join(short, ":")
	flags := uintptr(unix.MS_RDONLY)
	if upper != "" {
		flags = 0
		for name, dir := range map[string]string{"upper": upper, "work": work} {
			if err := os.Symlink(dir, filepath.Join(names, name)); err != nil {
				return fmt.Errorf("mount tree: %w", err)
			}
		}
		options += ",upperdir=upper,workdir=work,volatile"
	}
	if len(options) >= os.Getpagesize() {
		return fmt.Errorf("mount tree: %d layers are too many for this kernel; Linux 6.8 takes them", len(lowers))
	}
	before, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("mount tree: %w", err)
	}
	if err := os.Chdir(names); err != nil {
		return fmt.Errorf("mount tree: %w", err)
	}
	err = unix.Mount("overlay", target, "overlay", flags, options)
	if back := os.Chdir(before); back != nil && err == nil {
		err = back
	}
	if err != nil {
		return fmt.Errorf("mount tree on %s: %w", target, err)
	}
	return nil
}

// emptyDir makes an empty directory beside target.
func emptyDir(target string) (string, error) {
	dir := filepath.Join(filepath.Dir(target), ".empty")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("mount tree: %w", err)
	}
	return dir, nil
}

// kernelSays reads what the kernel logged for a file system context.
func kernelSays(fd int) string {
	buf := make([]byte, 4096)
	n, err := unix.Read(fd, buf)
	if err != nil || n <= 0 {
		return ""
	}
	return " (" + string(buf[:n]) + ")"
}
