package vm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
)

const controlSocket = "control.sock"

// ErrNoSSH is that a machine's ssh server did not answer in time.
var ErrNoSSH = errors.New("it does not answer")

// Desktop is a machine for a person to use.
type Desktop struct {
	Job     Job
	Machine Machine
}

// Console runs the machine with its serial console on this process's standard
// streams until it is switched off.
func (d Desktop) Console(ctx context.Context) error {
	d.Job.Argv = d.Machine.Argv()
	return d.Job.Run(ctx, true, nil)
}

// SSH runs the machine in the background and, once its ssh server answers on
// addr, an ssh client in the foreground, with the key of [KeyFor] and the command
// (none: a shell). One that ends with another exit status than 0 gives a *[diag.Ended].
// When that ends, the machine is switched off: in order with
// orderly set, else at once.
func (d Desktop) SSH(ctx context.Context, addr net.Addr, command []string, orderly bool, limit time.Duration) error {
	shared := d.Job.Shared()
	listener, err := listenIn(shared, controlSocket)
	if err != nil {
		return err
	}
	defer listener.Close()
	log, err := os.Create(filepath.Join(shared, qemuLog))
	if err != nil {
		return err
	}
	defer log.Close()
	d.Machine.Control = SharedDir + "/" + controlSocket
	d.Job.Argv = d.Machine.Argv()
	machine, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	var exit error
	go func() {
		defer close(ended)
		exit = d.Job.Run(machine, false, log)
	}()
	// Nothing of it may be left when this returns.
	defer func() {
		stop()
		<-ended
	}()
	waiting, giveUp := context.WithTimeoutCause(machine, limit, fmt.Errorf("%w after %s", ErrNoSSH, limit))
	defer giveUp()
	answers := make(chan error, 1)
	go func() { answers <- waitSSH(waiting, addr.String()) }()
	select {
	case <-ended:
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("QEMU ended: %w\n%s", exit, strings.TrimSpace(string(text)))
	case err := <-answers:
		if errors.Is(err, ErrNoSSH) {
			return fmt.Errorf("%w%s", err, consoleTail(filepath.Join(shared, SerialLog)))
		}
		if err != nil {
			return err
		}
	}
	client, err := d.client(addr, command)
	if err != nil {
		return err
	}
	err = client.Run(ctx, true, nil)
	var failed *sandbox.ExitError
	if errors.As(err, &failed) && !strings.HasPrefix(failed.State, "signal") { // that would be our own process
		err = &diag.Ended{Status: failed.Status}
	}
	if orderly && ctx.Err() == nil {
		err = errors.Join(err, switchOff(ctx, listener, ended, limit))
	}
	return err
}

// client is the job of the ssh client.
func (d Desktop) client(addr net.Addr, command []string) (Job, error) {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return Job{}, err
	}
	j := Job{
		Tools: d.Job.Tools, Dir: filepath.Join(d.Job.Dir, "ssh"), Shares: map[string]string{"/machine": d.Job.Shared()},
		Network: true, Term: d.Job.Term, Passes: true,
	}
	if len(command) == 0 {
		// 255 is that the connection ended: the machine was switched off in the shell.
		j.Argv = []string{"/bin/sh", "-c", `"$@"; status=$?; [ $status = 255 ] || exit $status`, "shell"}
	}
	j.Argv = append(j.Argv, "ssh", "-o", "LogLevel=ERROR", "-i", "/machine/"+keyFile, "-p", port,
		// The machine made its host key just now: there is none to compare with.
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
		"root@127.0.0.1")
	j.Argv = append(j.Argv, command...)
	return j, nil
}
