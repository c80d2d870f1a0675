package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// attack is one way out of a sandbox. No error means that it worked.
type attack struct {
	name string
	try  func(marker string) error
}

// reach looks for the host's marker through a directory.
func reach(root, marker string) error {
	_, err := os.Stat(root + marker)
	return err
}

// eachProcess tries something with every process that /proc shows, but this one.
func eachProcess(try func(dir string, pid int) error) error {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	err = errors.New("no process but this one")
	for _, d := range dirs {
		if pid, nerr := strconv.Atoi(d.Name()); nerr == nil && pid != os.Getpid() {
			if err = try("/proc/"+d.Name(), pid); err == nil {
				return nil
			}
		}
	}
	return err
}

func rewrite(path string) error {
	was, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, was, 0)
}

// holds is an attack that works if a file tells something.
func holds(path string) func(string) error {
	return func(string) error {
		if text, err := os.ReadFile(path); err != nil || len(text) == 0 {
			return fmt.Errorf("nothing in it, error %v", err)
		}
		return nil
	}
}

func call(nr uintptr, args ...uintptr) error {
	args = append(args, 0, 0, 0, 0, 0, 0)
	if _, _, errno := unix.Syscall6(nr, args[0], args[1], args[2], args[3], args[4], args[5]); errno != 0 {
		return errno
	}
	return nil
}

// node makes a device node and opens it.
func node(mode uint32, major, minor uint32) error {
	const path = "/var-node"
	defer os.Remove(path)
	if err := unix.Mknod(path, mode|0o600, int(unix.Mkdev(major, minor))); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err == nil {
		f.Close()
	}
	return err
}

var attacks = append(ofArchitecture, []attack{
	{"root of another process", func(marker string) error {
		return eachProcess(func(dir string, _ int) error { return reach(dir+"/root", marker) })
	}},
	{"directory of another process", func(marker string) error {
		return eachProcess(func(dir string, _ int) error {
			return reach(dir+"/cwd/"+strings.Repeat("../", 30), marker)
		})
	}},
	{"descriptors of another process", func(string) error {
		return eachProcess(func(dir string, _ int) error { _, err := os.Readlink(dir + "/fd/0"); return err })
	}},
	{"program file of another process", func(string) error {
		return eachProcess(func(dir string, _ int) error { _, err := os.Stat(dir + "/exe"); return err })
	}},
	{"memory of another process", func(string) error {
		return eachProcess(func(dir string, _ int) error {
			f, err := os.OpenFile(dir+"/mem", os.O_RDWR, 0)
			if err == nil {
				f.Close()
			}
			return err
		})
	}},
	{"ptrace", func(string) error {
		return eachProcess(func(_ string, pid int) error { return call(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid)) })
	}},
	{"namespaces of another process", func(marker string) error {
		return eachProcess(func(dir string, _ int) error {
			f, err := os.Open(dir + "/ns/mnt")
			if err != nil {
				return err
			}
			defer f.Close()
			return unix.Setns(int(f.Fd()), unix.CLONE_NEWNS)
		})
	}},
	{"a chroot in a chroot", func(marker string) error {
		if err := os.Mkdir("/inner", 0o755); err != nil {
			return err
		}
		defer os.Remove("/inner")
		here, err := os.Open("/")
		if err != nil {
			return err
		}
		defer here.Close()
		if err := unix.Chroot("/inner"); err != nil {
			return err
		}
		defer func() { unix.Fchdir(int(here.Fd())); unix.Chroot(".") }()
		if err := here.Chdir(); err != nil {
			return err
		}
		return reach(strings.Repeat("../", 30), marker)
	}},
	{"descriptors left open", func(marker string) error {
		for fd := 3; fd < 200; fd++ {
			to, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			if err == nil && !strings.HasPrefix(to, "anon_inode:") && !strings.HasPrefix(to, "/proc/") && to != "/" {
				return nil
			}
		}
		return errors.New("none")
	}},
	{"core_pattern", func(string) error { return rewrite("/proc/sys/kernel/core_pattern") }},
	{"modprobe", func(string) error { return rewrite("/proc/sys/kernel/modprobe") }},
	{"sysrq-trigger", func(string) error {
		f, err := os.OpenFile("/proc/sysrq-trigger", os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		}
		return err
	}},
	{"the kernel's command line", holds("/proc/cmdline")},
	{"the kernel's memory", holds("/proc/iomem")},
	{"the host's keys", holds("/proc/keys")},
	{"the host's modules", holds("/proc/modules")},
	{"the kernel's log", func(string) error {
		_, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, make([]byte, 100))
		return err
	}},
	{"the clock", func(string) error {
		now := unix.NsecToTimespec(time.Now().UnixNano())
		return unix.ClockSettime(unix.CLOCK_REALTIME, &now)
	}},
	{"the host name", func(string) error { return unix.Sethostname([]byte("hostile")) }},
	{"mount", func(string) error { return unix.Mount("tmpfs", "/tmp", "tmpfs", 0, "") }},
	{"mount of /proc", func(string) error { return unix.Mount("proc", "/tmp", "proc", 0, "") }},
	{"mount that can be written again", func(string) error {
		return unix.Mount("", "/proc/sys", "", unix.MS_REMOUNT|unix.MS_BIND, "")
	}},
	{"umount", func(string) error { return unix.Unmount("/proc", unix.MNT_DETACH) }},
	{"a mount namespace", func(string) error { return unix.Unshare(unix.CLONE_NEWNS) }},
	{"a user namespace", func(string) error {
		cmd := &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}}
		_, err := syscall.ForkExec("/proc/self/exe", []string{"x", "child-fails"}, cmd)
		return err
	}},
	{"a block device", func(string) error {
		var st unix.Stat_t
		if err := unix.Stat("/", &st); err != nil {
			return err
		}
		text, err := os.ReadFile("/hostdev")
		if err != nil {
			return err
		}
		dev, err := strconv.ParseUint(string(text), 10, 64)
		if err != nil {
			return err
		}
		return node(unix.S_IFBLK, unix.Major(dev), unix.Minor(dev))
	}},
	{"the device of memory", func(string) error { return node(unix.S_IFCHR, 1, 1) }},
	{"a device node of /dev elsewhere", func(string) error { return node(unix.S_IFCHR, 1, 3) }},
	{"the mode of the host's /dev/null", func(string) error { return os.Chmod("/dev/null", 0o666) }},
	{"a key", func(string) error {
		payload := []byte("x")
		_, err := unix.AddKey("user", "hostile", payload, unix.KEY_SPEC_SESSION_KEYRING)
		return err
	}},
	{"the user's keyring", func(string) error {
		_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
		return err
	}},
	{"a file by its handle", func(string) error {
		handle, mount, err := unix.NameToHandleAt(unix.AT_FDCWD, "/proc/self/exe", unix.AT_SYMLINK_FOLLOW)
		_ = mount
		if err != nil {
			return err
		}
		fd, err := unix.Open("/", unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		got, err := unix.OpenByHandleAt(fd, handle, unix.O_RDONLY)
		if errors.Is(err, unix.ESTALE) {
			err = nil // of another file system; the call works
		}
		if got > 0 {
			unix.Close(got)
		}
		return err
	}},
	{"the audit log", func(string) error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}},
	{"bpf", func(string) error {
		var attr [16]uint32 // an array map of one number
		attr[0], attr[1], attr[2], attr[3] = unix.BPF_MAP_TYPE_ARRAY, 4, 4, 1
		return call(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	}},
	{"io_uring", func(string) error {
		var params [30]uint32
		return call(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)))
	}},
	{"userfaultfd", func(string) error { return call(unix.SYS_USERFAULTFD, unix.O_CLOEXEC) }},
	{"the caller's terminal", func(string) error {
		f, err := os.Open("/dev/tty")
		if err == nil {
			f.Close()
		}
		return err
	}},
	{"letters typed into a terminal", func(string) error {
		f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		letter := byte('x')
		return call(unix.SYS_IOCTL, f.Fd(), tiocsti, uintptr(unsafe.Pointer(&letter)))
	}},
}...)

// rights is what programs of a step must be able to do.
var rights = []attack{
	{"chown", func(string) error { return os.Chown("/made", 1234, 1234) }},
	{"set-user-ID", func(string) error { return os.Chmod("/made", 0o755|os.ModeSetuid) }},
	{"files of others", func(string) error { return os.WriteFile("/made", []byte("x"), 0o600) }},
	{"file capabilities", func(string) error {
		// cap_net_raw+ep in struct vfs_cap_data
		return unix.Setxattr("/made", "security.capability", []byte{1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0)
	}},
	{"a device node", func(string) error {
		defer os.Remove("/node")
		return unix.Mknod("/node", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3)))
	}},
	{"a pseudo terminal", func(string) error {
		f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
		if err == nil {
			f.Close()
		}
		return err
	}},
	{"/dev/null", func(string) error { return os.WriteFile("/dev/null", []byte("x"), 0) }},
	{"another account", func(string) error {
		attr := &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1234, Gid: 1234, Groups: []uint32{5}}, Chroot: "/"}}
		pid, err := syscall.ForkExec("/proc/self/exe", []string{"x", "child-sleeps"}, attr)
		if err != nil {
			return err
		}
		return syscall.Kill(pid, syscall.SIGKILL)
	}},
}

// childAttacks is the hostile program: it tells what worked.
func childAttacks(args []string) error {
	if err := os.WriteFile("/made", nil, 0o644); err != nil {
		return err
	}
	for _, a := range attacks {
		if err := a.try(args[0]); err == nil {
			fmt.Println("worked:", a.name)
		}
	}
	for _, r := range rights {
		if err := r.try(""); err != nil {
			fmt.Printf("refused: %s: %v\n", r.name, err)
		}
	}
	fmt.Println("tried", len(attacks), "and", len(rights))
	return nil
}

// childAttacked is a step that runs the hostile program.
func childAttacked(args []string) error {
	root := args[0]
	if err := Enter(false, nil); err != nil {
		return err
	}
	if err := PrepareRoot(root); err != nil {
		return err
	}
	for _, dir := range []string{"/usr", "/lib", "/lib64"} {
		if _, err := os.Stat(dir); err == nil {
			if err := Bind(dir, root+dir, true); err != nil {
				return err
			}
		}
	}
	if err := Bind(args[2], root+"/hostile", true); err != nil {
		return err
	}
	hostile := Command{Argv: []string{"/hostile", "child-attacks", args[1]}, Root: root, Stdout: os.Stdout, Stderr: os.Stderr}
	if args[3] == "installs" {
		// As mmdebstrap runs a package's script.
		hostile.Argv = append([]string{"env", "chroot", root}, hostile.Argv...)
		hostile.Root, hostile.View = "", &View{Shown: Programs, Writable: []string{root}, Installs: true}
	}
	return hostile.Run(context.Background())
}

// TestRootHostileProgram runs a program in a step that tries to get out.
func TestRootHostileProgram(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it makes namespaces; run it as CI does, sudo make test")
	}
	dir := t.TempDir()
	root, marker := filepath.Join(dir, "root"), filepath.Join(dir, "marker of the host")
	for _, d := range []string{root, marker} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var st unix.Stat_t
	if err := unix.Stat("/", &st); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "hostdev"), []byte(fmt.Sprint(st.Dev)), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"root", "installs"} {
		said, err := runChild(t, context.Background(), Child{Args: []string{"child-attacked", root, marker, self, how}})
		if err != nil {
			t.Fatalf("%s: %v\n%s", how, err, said)
		}
		lines := strings.Split(strings.TrimSpace(said), "\n")
		if want := fmt.Sprintf("tried %d and %d", len(attacks), len(rights)); !slices.Equal(lines, []string{want}) {
			t.Errorf("%s: a program of a step:\n%s", how, said)
		}
	}
}
