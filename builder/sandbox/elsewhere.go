package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"syscall"

	"golang.org/x/sys/unix"
)

// Elsewhere is a copy of this program that runs in other surroundings than this process, as
// on another machine for another user.
type Elsewhere struct {
	// Args are its arguments, the verb first; Env is its whole environment.
	Args []string
	Env  map[string]string
	Dir  string
	// Umask is what it is started with.
	Umask int
	// CPUs is how many processors it may use, of those of this process; 0 for all.
	CPUs           int
	Stdout, Stderr *os.File
	// Files become its file descriptors 3, 4, ...
	Files []*os.File
}

// Run starts the copy as the first process of new PID, mount, IPC and UTS namespaces, and
// waits for it; the copy calls [Arrive] first. What it mounts and starts ends with it, when ctx
// ends, or when this process dies. Until it is started, this process must not make files,
// because its own umask is changed. The error is like that of [Child.Run].
func (e Elsewhere) Run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", e.Args...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles, cmd.Dir = e.Stdout, e.Stderr, e.Files, e.Dir
	for name, value := range e.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	sort.Strings(cmd.Env)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true, // Ctrl-C is for this process
	}
	if err := e.start(cmd); err != nil {
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EINVAL) {
			err = fmt.Errorf("%w: %w", ErrNoSandbox, err)
		}
		return fmt.Errorf("start %v: %w", e.Args, err)
	}
	err := cmd.Wait()
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &ExitError{Command: Command{Argv: append([]string{"treewright"}, e.Args...)}, State: exit.String(), Status: statusOf(exit.Sys().(syscall.WaitStatus))}
	}
	return err
}

// start starts the copy with its umask and processors, which it inherits from this
// thread.
func (e Elsewhere) start(cmd *exec.Cmd) error {
	if e.CPUs > 0 {
		var all, some unix.CPUSet
		if err := unix.SchedGetaffinity(0, &all); err != nil {
			return fmt.Errorf("ask for processors: %w", err)
		}
		for cpu, left := 0, e.CPUs; cpu < len(all)*64 && left > 0; cpu++ {
			if all.IsSet(cpu) {
				some.Set(cpu)
				left--
			}
		}
		if err := unix.SchedSetaffinity(0, &some); err != nil {
			return fmt.Errorf("choose processors: %w", err)
		}
		defer func() { _ = unix.SchedSetaffinity(0, &all) }()
	}
	defer unix.Umask(unix.Umask(e.Umask))
	return cmd.Start()
}

// Arrive is what the copy of an [Elsewhere] calls first: it cuts its mounts off from the
// host's, mounts its own /proc, and sets the host name.
func Arrive(host string) error {
	if err := privateMounts(); err != nil {
		return err
	}
	return ownProcAndName(host)
}

// MountMemory mounts an empty file system in memory on target, with at most that many
// bytes. Programs may be run from it.
func MountMemory(target string, bytes int64) error {
	if err := unix.Mount("tmpfs", target, "tmpfs", 0, fmt.Sprintf("mode=0755,size=%d,nr_inodes=0", bytes)); err != nil {
		return fmt.Errorf("mount memory on %s: %w", target, err)
	}
	return nil
}
