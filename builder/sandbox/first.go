package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/event"
)

// order is what a first process is told on descriptor 3.
type order struct {
	Argv  []string
	Env   []string
	Path  string // where a program without a slash is looked for
	Dir   string
	Root  string
	View  *View
	Stdin bool // the program has one
	// Grace is how long what the program leaves in the background may go on.
	Grace time.Duration
}

// report is what it answers on descriptor 4: how the program ended, or why it
// was not started.
type report struct {
	Status  syscall.WaitStatus
	Missing bool `json:",omitempty"` // the program does not exist
	Refused bool `json:",omitempty"` // this machine allows no sandbox
	Error   string
	// Usage is what the program, and what it left in the background, used.
	Usage event.Usage
}

// The descriptors of a first process.
const (
	orderFile  = 3
	reportFile = 4
)

// init makes every program that uses this package able to be a first process:
// before anything else of it runs.
func init() {
	switch filepath.Base(os.Args[0]) {
	case firstName:
		first()
	case chrootName:
		changeRootAndRun(os.Args[1:])
	}
}

// first sets the sandbox up, runs the program, and tells how it ended. It never
// returns: who started it ends it, and with it every process of the sandbox.
//
// It lives in a PID namespace of its own, with the program. It has no file of
// the host open and the host's root is not mounted there, so there is nothing to
// be had from it, and hideProcess keeps its own program file.
func first() {
	to := os.NewFile(reportFile, "report")
	answer := func(r report) {
		// If nobody listens, nobody needs it.
		_ = json.NewEncoder(to).Encode(r)
	}
	// The only process that is not ended by signals it does not know of is one
	// that has no handlers; Go's runtime has some.
	signal.Notify(make(chan os.Signal, 1))
	var o order
	err := errors.Join(hideProcess(), closeOnExec(), json.NewDecoder(os.NewFile(orderFile, "order")).Decode(&o))
	if err == nil {
		if err = o.enter(); err != nil {
			answer(report{Error: err.Error(), Refused: true})
			select {}
		}
	}
	var pid int
	if err == nil {
		pid, err = o.start()
	}
	if err != nil {
		answer(report{Error: err.Error(), Missing: errors.Is(err, ErrNotFound)})
		select {}
	}
	status := reap(pid, o.Grace)
	answer(report{Status: status, Usage: childrenUsed()})
	for {
		// Orphans still end here.
		if _, err := unix.Wait4(-1, nil, 0, nil); err != nil && !errors.Is(err, unix.EINTR) {
			select {}
		}
	}
}

// enter makes the sandbox's root this process's.
func (o *order) enter() error {
	err := privateMounts()
	if err != nil {
		return err
	}
	if o.View != nil {
		err = errors.Join(o.View.enter(), forgetUser())
	} else {
		err = changeRoot(o.Root)
	}
	if err != nil {
		return err
	}
	err = mountProc("/proc")
	if o.View != nil && errors.Is(err, unix.EPERM) {
		// A container that hides parts of its own /proc lets nobody mount a whole one
		// in a user namespace. Then there is none.
		return nil
	}
	return err
}

// start starts the program with nothing but what it is to have.
func (o *order) start() (int, error) {
	path, err := o.lookup()
	if err != nil {
		return 0, err
	}
	files := []uintptr{0, 1, 2}
	nothing, err := emptyInput()
	if err != nil {
		return 0, err
	}
	if !o.Stdin {
		files[0] = nothing.Fd()
	}
	powers := stepPowers
	switch {
	case o.View != nil && o.View.Installs:
		powers = installPowers
	case o.View != nil:
		powers = viewPowers
	}
	type started struct {
		pid int
		err error
	}
	done := make(chan started)
	go func() {
		// The thread ends with this function: it has lost what others need.
		runtime.LockOSThread()
		if err := confine(powers); err != nil {
			done <- started{0, err}
			return
		}
		pid, err := syscall.ForkExec(path, o.Argv, &syscall.ProcAttr{Dir: o.Dir, Env: o.Env, Files: files})
		if err != nil {
			err = fmt.Errorf("fork/exec %s: %w", path, err)
		}
		done <- started{pid, err}
	}()
	s := <-done
	if s.err != nil {
		return 0, s.err
	}
	if o.View != nil && o.View.Memory > 0 {
		// Not before: this process's runtime takes more address space than it uses,
		// and does not live with a bound.
		bound := &unix.Rlimit{Cur: o.View.Memory, Max: o.View.Memory}
		if err := unix.Prlimit(s.pid, unix.RLIMIT_AS, bound, nil); err != nil && !errors.Is(err, unix.ESRCH) {
			return 0, fmt.Errorf("bound memory: %w", err)
		}
	}
	// A reader of the program's output does not wait for this process.
	for fd := range 3 {
		if err := unix.Dup3(int(nothing.Fd()), fd, unix.O_CLOEXEC); err != nil {
			return 0, err
		}
	}
	return s.pid, nil
}

// emptyInput is a standard input with nothing in it.
func emptyInput() (*os.File, error) {
	if null, err := os.OpenFile("/dev/null", os.O_RDWR, 0); err == nil {
		return null, nil
	}
	r, w, err := os.Pipe() // a tree that nothing is mounted in
	if err != nil {
		return nil, err
	}
	return r, w.Close()
}

// lookup finds the program in the root.
func (o *order) lookup() (string, error) {
	name := o.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	return lookIn(name, o.Path)
}

// reap waits for the program, and then for all that it left in the background,
// though not longer than grace.
func reap(pid int, grace time.Duration) syscall.WaitStatus {
	var status syscall.WaitStatus
	for {
		var s syscall.WaitStatus
		got, err := syscall.Wait4(-1, &s, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if got == pid || err != nil {
			status = s
			break
		}
	}
	for end := time.Now().Add(grace); time.Now().Before(end); {
		got, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR) || got > 0:
		case err != nil:
			return status // none are left
		default:
			time.Sleep(2 * time.Millisecond)
		}
	}
	return status
}
