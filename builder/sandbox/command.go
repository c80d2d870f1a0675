package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/event"
)

// Command is one program to run.
type Command struct {
	Argv []string
	// Root is the directory that becomes the program's root, "" for none; View is
	// one that is made for it. With either, the program is looked up inside it and
	// runs in a sandbox: nothing of the host is mounted where it can see it, its
	// processes are alone, and it lacks the capabilities to change that.
	Root string
	View *View
	// Env is the whole environment; nothing is inherited.
	Env map[string]string
	// Dir is the working directory, inside Root; "" means "/".
	Dir            string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Family ends what the program has started together with it, by a PID
	// namespace of its own, as far as this process may make one.
	Family bool
	// Finish lets the program go on when this process dies.
	Finish bool
	// MachineClock lets the program see the machine's clock even after [MoveClock].
	MachineClock bool
	// Background is called, in a sandbox, when the program has ended and others
	// that it started may still run; they end when it returns. Without it they
	// have [grace].
	Background func()
}

// grace is how long programs that another left in a sandbox may go on, so that
// "> >(tee log)" in a script gets to its end.
const grace = time.Second

// ExitError is a program that ran and failed.
type ExitError struct {
	Command Command
	// State is the exit status as the system words it ("exit status 1").
	State string
	// Status is the same as a shell tells it: 128 and the signal's number for a
	// program that a signal ended.
	Status int
}

// statusOf is an exit status as a shell tells it.
func statusOf(w syscall.WaitStatus) int {
	if w.Signaled() {
		return 128 + int(w.Signal())
	}
	return w.ExitStatus()
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("%s: %s", e.Command.Argv[0], e.State)
}

// Run runs the program and waits for it. A program that fails gives an
// *ExitError; cancelling ctx kills it, and so does the death of this process
// (but see Finish). When it ended, an event is emitted; see [event.Within].
func (c Command) Run(ctx context.Context) error {
	var usage event.Usage
	start, run := time.Now(), c.outside
	if c.Root != "" || c.View != nil {
		run = c.confined
	}
	err := run(ctx, &usage)
	c.emitEnd(ctx, start, usage, err)
	return err
}

// emitEnd emits to the sink of a context that the command ended.
func (c Command) emitEnd(ctx context.Context, start time.Time, usage event.Usage, err error) {
	end := time.Now()
	e := event.Event{Time: end, Kind: event.Command, Argv: c.Argv, Duration: end.Sub(start), Usage: &usage}
	var exit *ExitError
	if errors.As(err, &exit) {
		e.Status = exit.Status
	} else if err != nil {
		e.Error = err.Error()
	}
	event.From(ctx).Emit(e)
}

// outside runs the program outside of a sandbox.
func (c Command) outside(ctx context.Context, usage *event.Usage) error {
	path, err := c.lookup()
	if err != nil {
		return err
	}
	// The parent-death signal is tied to the thread that forks: it must not go
	// away while the child lives.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = c.run(ctx, path, usage)
	if c.Family && errors.Is(err, syscall.EPERM) {
		c.Family = false // a container's root may not make namespaces
		err = c.run(ctx, path, usage)
	}
	return err
}

func (c Command) run(ctx context.Context, path string, usage *event.Usage) error {
	cmd := exec.CommandContext(ctx, path)
	cmd.Args = c.Argv
	cmd.Env = c.environ()
	cmd.Dir = c.Dir
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	cmd.WaitDelay = 2 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if !c.Finish {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if c.Family {
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWPID
	}
	err := cmd.Run()
	if cmd.ProcessState != nil {
		*usage = usageOf(cmd.ProcessState.SysUsage().(*syscall.Rusage))
	}
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && ctx.Err() == nil {
			return &ExitError{Command: c, State: exit.String(), Status: statusOf(exit.Sys().(syscall.WaitStatus))}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", c.Argv[0], context.Cause(ctx))
		}
		return fmt.Errorf("run %s: %w", c.Argv[0], err)
	}
	return nil
}

// Output runs the program and returns what it wrote to standard output. What
// it wrote to standard error is part of the error, if there is one.
func (c Command) Output(ctx context.Context) ([]byte, error) {
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(ctx); err != nil {
		if said := strings.TrimSpace(errs.String()); said != "" {
			return []byte(out.String()), fmt.Errorf("%w\n%s", err, said)
		}
		return []byte(out.String()), err
	}
	return []byte(out.String()), nil
}

// lookup finds a program of the host. os/exec would look on this process's PATH.
func (c Command) lookup() (string, error) {
	if len(c.Argv) == 0 {
		return "", errors.New("run: no program named")
	}
	name := c.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	return lookIn(name, c.path())
}

func (c Command) path() string {
	if path := c.Env["PATH"]; path != "" {
		return path
	}
	return defaultPath
}

func (c Command) environ() []string {
	env := make([]string, 0, len(c.Env)+1)
	for k, v := range c.Env {
		env = append(env, k+"="+v)
	}
	if _, ok := c.Env["PATH"]; !ok {
		env = append(env, "PATH="+defaultPath)
	}
	sort.Strings(env)
	return env
}

// HostEnv is the environment for programs of the host that must follow the
// user's settings (apt's proxies, say): this process's own, in the C locale.
func HostEnv() map[string]string {
	env := map[string]string{}
	for _, kv := range os.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		env[k] = v
	}
	env["LC_ALL"] = "C.UTF-8"
	return env
}

// String returns the command as a line that a shell can run again.
func (c Command) String() string {
	words := make([]string, len(c.Argv))
	for i, w := range c.Argv {
		words[i] = Quote(w)
	}
	line := strings.Join(words, " ")
	if c.Root != "" {
		line = "chroot " + Quote(c.Root) + " " + line
	}
	return line
}

// Quote quotes a word for a POSIX shell, leaving plain words as they are.
func Quote(word string) string {
	if word != "" && strings.IndexFunc(word, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-", r)
	}) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Installed reports whether the host has a program; see [Find].
func Installed(program string) bool { return Find(program) != "" }

// Find returns where the host has a program, on this process's PATH or the usual one;
// "" if it has none.
func Find(program string) string {
	for _, path := range []string{os.Getenv("PATH"), defaultPath} {
		if found, err := (Command{Argv: []string{program}, Env: map[string]string{"PATH": path}}).lookup(); err == nil {
			return found
		}
	}
	return ""
}
