package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/event"
)

// ErrNoSandbox means that this machine or this user is not allowed to make
// a sandbox.
var ErrNoSandbox = errors.New("a sandbox cannot be made here")

// confined runs the program in a sandbox; see [first] for what happens inside.
func (c Command) confined(ctx context.Context, usage *event.Usage) error {
	if len(c.Argv) == 0 {
		return errors.New("run: no program named")
	}
	// The parent-death signal is tied to the thread that forks.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args, cmd.Env, cmd.Dir = []string{firstName}, []string{}, "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	cmd.WaitDelay = 2 * time.Second
	cmd.SysProcAttr = c.apart()
	orders, reports, err := c.connect(cmd)
	if err != nil {
		return err
	}
	defer reports.Close()
	err = cmd.Start()
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	if err != nil {
		orders.Close()
		if c.View != nil && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EINVAL)) {
			err = fmt.Errorf("%w: %w", ErrNoSandbox, err)
		}
		return fmt.Errorf("run %s: %w", c.Argv[0], err)
	}
	go func() {
		// If it dies early, its exit says more than this write would.
		_ = json.NewEncoder(orders).Encode(c.order())
		orders.Close()
	}()
	var r report
	said := json.NewDecoder(reports).Decode(&r)
	*usage = r.Usage
	if said == nil && r.Error == "" && c.Background != nil {
		c.Background()
	}
	// The first process goes, and the kernel ends all others with it.
	_ = cmd.Process.Kill()
	ended := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", c.Argv[0], context.Cause(ctx))
	case said != nil:
		return fmt.Errorf("run %s: the first process of its sandbox ended: %w", c.Argv[0], ended)
	}
	return c.ended(r)
}

// apart are the namespaces of a sandbox. A step has some of them already, which
// all its programs share: network, host name, System V IPC.
func (c Command) apart() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	// Only a person's shell has the terminal, and what it is told by the keyboard.
	if f, ok := c.Stdin.(*os.File); !ok || f != os.Stdin {
		a.Setsid = true
	}
	if c.View == nil || c.View.Installs {
		return a
	}
	a.Cloneflags |= unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	if os.Geteuid() != 0 {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return a
}

// connect gives the first process its descriptors and returns our ends.
func (c Command) connect(cmd *exec.Cmd) (orders io.WriteCloser, reports io.ReadCloser, err error) {
	orderR, orderW, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("run %s: %w", c.Argv[0], err)
	}
	reportR, reportW, err := os.Pipe()
	if err != nil {
		orderR.Close()
		orderW.Close()
		return nil, nil, fmt.Errorf("run %s: %w", c.Argv[0], err)
	}
	cmd.ExtraFiles = []*os.File{orderR, reportW} // orderFile, reportFile
	return orderW, reportR, nil
}

func (c Command) order() order {
	o := order{Argv: c.Argv, Env: c.environ(), Path: c.path(), Dir: c.Dir, Root: c.Root, View: c.View, Stdin: c.Stdin != nil}
	if o.Dir == "" {
		o.Dir = "/"
	}
	if c.Root != "" && !c.MachineClock {
		o.Env = append(o.Env, clockEnv()...)
	}
	if c.Background == nil {
		o.Grace = grace
	}
	return o
}

// ended makes an error of a report.
func (c Command) ended(r report) error {
	switch {
	case r.Missing:
		return fmt.Errorf("%s: %w (looked in %s)", c.Argv[0], ErrNotFound, c.path())
	case r.Refused && c.View != nil:
		return fmt.Errorf("run %s: %w: %s", c.Argv[0], ErrNoSandbox, r.Error)
	case r.Error != "":
		return fmt.Errorf("run %s: %s", c.Argv[0], r.Error)
	case r.Status == 0:
		return nil
	case r.Status.Signaled():
		return &ExitError{Command: c, State: "signal: " + r.Status.Signal().String(), Status: statusOf(r.Status)}
	}
	return &ExitError{Command: c, State: fmt.Sprintf("exit status %d", r.Status.ExitStatus()), Status: statusOf(r.Status)}
}
