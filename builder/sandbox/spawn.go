package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Child is a copy of this program that is to run in namespaces of its own.
type Child struct {
	// Args are its arguments, the verb first.
	Args []string
	// Network leaves it in the host's network namespace.
	Network bool
	// Interactive gives it the terminal: a shell for a person.
	Interactive    bool
	Stdin          io.Reader
	Stdout, Stderr *os.File
	// Files become its file descriptors 3, 4, ...
	Files []*os.File
}

// Run starts the child as the first process of new PID, mount, IPC, UTS, cgroup
// and (unless Network) network namespaces and waits for it. When ctx ends, or this
// process dies, the kernel kills it and everything it started. [ErrNoSandbox] is in its error if
// there can be no such namespaces.
func (c Child) Run(ctx context.Context) error {
	// The parent-death signal is tied to the thread that forks: it must not go
	// away while the child lives.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.CommandContext(ctx, "/proc/self/exe", c.Args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	cmd.ExtraFiles = c.Files
	cmd.Env = []string{"PATH=" + defaultPath, "LC_ALL=C.UTF-8"}
	if clock != "" {
		cmd.Env = append(cmd.Env, clockVariable+"="+clock)
	}
	if c.Interactive {
		cmd.Env = append(cmd.Env, "TERM="+os.Getenv("TERM"))
	}
	flags := uintptr(unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP)
	if !c.Network {
		flags |= unix.CLONE_NEWNET
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: flags,
		Pdeathsig:  syscall.SIGKILL,
		// Ctrl-C in the terminal is for us alone; we tell the children. They have no
		// terminal, so that nothing can type into it.
		Setsid: !c.Interactive,
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return &ExitError{Command: Command{Argv: append([]string{"treewright"}, c.Args...)}, State: exit.String(), Status: statusOf(exit.Sys().(syscall.WaitStatus))}
		}
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EINVAL) {
			err = fmt.Errorf("%w: %w", ErrNoSandbox, err)
		}
		return fmt.Errorf("start %v: %w", c.Args, err)
	}
	return nil
}
