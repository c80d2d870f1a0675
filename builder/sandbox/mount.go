package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// MountTmpfs mounts an empty tmpfs with the given octal mode ("0755").
func MountTmpfs(target, mode string) error {
	if err := unix.Mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode="+mode); err != nil {
		return fmt.Errorf("mount tmpfs on %s: %w", target, err)
	}
	return nil
}

// Bind mounts source, a file or a directory with what is mounted below it, on
// target, which it makes if it is missing. No device node works in a directory.
func Bind(source, target string, readonly bool) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(target), 0o755); err == nil {
		var f *os.File
		if f, err = os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o644); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s on %s: %w", source, target, err)
	}
	attr := &unix.MountAttr{}
	if readonly {
		attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	if info.IsDir() {
		attr.Attr_set |= unix.MOUNT_ATTR_NODEV
	}
	if attr.Attr_set != 0 {
		if err := unix.MountSetattr(-1, target, unix.AT_RECURSIVE, attr); err != nil {
			return fmt.Errorf("bind %s on %s: %w", source, target, err)
		}
	}
	return nil
}

// plainPlace is where [UnderPlainNames] mounts: it exists everywhere and
// programs do not look there.
const plainPlace = "/mnt"

// UnderPlainNames runs do while directories, given by a name for each, are mounted
// at paths that hold nothing but letters and slashes, for programs that stumble
// over others. Their places are handed to do by name. It is for a process with
// a mount namespace of its own: meanwhile it sees nothing else in /mnt.
func UnderPlainNames(dirs map[string]string, do func(at map[string]string) error) (err error) {
	at, open := map[string]string{}, map[string]int{}
	for name, dir := range dirs {
		// They may be in /mnt themselves.
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: dir, Err: err}
		}
		defer unix.Close(fd)
		open[name], at[name] = fd, filepath.Join(plainPlace, name)
	}
	if err := os.MkdirAll(plainPlace, 0o755); err != nil {
		return err
	}
	if err := MountTmpfs(plainPlace, "0755"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Unmount(plainPlace, unix.MNT_DETACH)) }()
	for name, fd := range open {
		if err := Bind(fmt.Sprintf("/proc/self/fd/%d", fd), at[name], false); err != nil {
			return err
		}
	}
	return do(at)
}

// devices are the nodes that programs may count on.
var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// PrepareRoot mounts what programs expect below root: an empty /sys, a small
// /dev, and fresh /run and /tmp. Each program brings a /proc of its own, which
// shows no process but those that it starts. /sys stays empty so that nothing of the
// host's hardware finds its way into what they write (dracut looks there).
func PrepareRoot(root string) error {
	for _, dir := range []string{"proc", "sys", "dev", "run", "tmp"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return fmt.Errorf("prepare root: %w", err)
		}
	}
	for _, m := range []struct{ dir, mode string }{{"sys", "0755"}, {"run", "0755"}, {"tmp", "1777"}} {
		if err := MountTmpfs(filepath.Join(root, m.dir), m.mode); err != nil {
			return err
		}
	}
	lock := filepath.Join(root, "run/lock")
	if err := os.Mkdir(lock, 0o755); err != nil {
		return fmt.Errorf("prepare root: %w", err)
	}
	if err := os.Chmod(lock, 0o777|os.ModeSticky); err != nil {
		return fmt.Errorf("prepare root: %w", err)
	}
	if err := prepareDev(filepath.Join(root, "dev")); err != nil {
		return err
	}
	if clock != "" {
		return Bind(clock, filepath.Join(root, clockPlace), true)
	}
	return nil
}

func prepareDev(dev string) error {
	if err := unix.Mount("tmpfs", dev, "tmpfs", unix.MS_NOSUID, "mode=0755"); err != nil {
		return fmt.Errorf("mount %s: %w", dev, err)
	}
	for _, name := range devices {
		// Read-only, so that nobody changes the mode of the host's; the device can
		// be written to all the same.
		if err := Bind("/dev/"+name, filepath.Join(dev, name), true); err != nil {
			return err
		}
	}
	for _, dir := range []string{"pts", "shm"} {
		if err := os.Mkdir(filepath.Join(dev, dir), 0o755); err != nil {
			return fmt.Errorf("prepare /dev: %w", err)
		}
	}
	if err := unix.Mount("devpts", filepath.Join(dev, "pts"), "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"); err != nil {
		return fmt.Errorf("mount devpts: %w", err)
	}
	if err := MountTmpfs(filepath.Join(dev, "shm"), "1777"); err != nil {
		return err
	}
	for name, target := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, filepath.Join(dev, name)); err != nil {
			return fmt.Errorf("prepare /dev: %w", err)
		}
	}
	return nil
}

// ReleaseRoot undoes [PrepareRoot] and every other mount below root, so that
// the tree can be looked at as it is on disk.
func ReleaseRoot(root string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	var points []string
	for _, line := range strings.Split(string(table), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 4 && strings.HasPrefix(unescapeMount(fields[4]), root+"/") {
			points = append(points, unescapeMount(fields[4]))
		}
	}
	// Later mounts can be on earlier ones: newest first.
	for i := len(points) - 1; i >= 0; i-- {
		if err := unix.Unmount(points[i], unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("unmount %s: %w", points[i], err)
		}
	}
	return nil
}

// unescapeMount undoes how proc_pid_mountinfo(5) writes blanks and backslashes.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
