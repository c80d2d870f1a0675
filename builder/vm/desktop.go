package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const controlSocket = "control.sock"

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

// SSH runs the machine in the background and, once its ssh server answers, an ssh client
// in the foreground, as [Guest.Shell] does. When that ends, the machine is switched off: in
// order with orderly set, else at once.
func (d Desktop) SSH(ctx context.Context, g Guest, command []string, r Restarts, orderly bool, limit time.Duration) error {
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
	answers := make(chan error, 1)
	go func() { answers <- g.Wait(machine, limit) }()
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
	err = g.Shell(ctx, command, r.until(ended))
	if orderly && ctx.Err() == nil {
		err = errors.Join(err, switchOff(ctx, listener, ended, limit))
	}
	return err
}
