package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
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

// SSH runs the machine in the background and, once its ssh server answers on
// addr, an ssh client in the foreground, with the private key and the command
// (none: a shell). When that ends, the machine is switched off: in order with
// orderly set, else at once.
func (d Desktop) SSH(ctx context.Context, addr net.Addr, private []byte, command []string, orderly bool, limit time.Duration) error {
	shared := d.Job.Shared()
	if err := os.MkdirAll(shared, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(shared, "key"), private, 0o600); err != nil {
		return err
	}
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
	ended := make(chan error, 1)
	go func() { ended <- d.Job.Run(machine, false, log) }()
	// Nothing of it may be left when this returns.
	finish := func() error {
		stop()
		<-ended
		return nil
	}
	answers := make(chan error, 1)
	waiting, giveUp := context.WithTimeout(machine, limit)
	defer giveUp()
	go func() { answers <- waitSSH(waiting, addr.String()) }()
	select {
	case err := <-ended:
		stop()
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("QEMU ended: %w\n%s", err, strings.TrimSpace(string(text)))
	case err := <-answers:
		if err != nil {
			return errors.Join(err, finish())
		}
	}
	client := d.Job
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return errors.Join(err, finish())
	}
	client.Dir = filepath.Join(d.Job.Dir, "ssh")
	client.Shares = map[string]string{"/machine": shared}
	client.Serve, client.KVM = "", false
	client.Argv = append([]string{
		"ssh", "-q", "-i", "/machine/key", "-p", port,
		// The host key was made by the machine just now: there is none to compare with.
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
		"root@127.0.0.1",
	}, command...)
	err = client.Run(ctx, true, nil)
	if orderly && ctx.Err() == nil {
		if perr := powerDown(listener); perr != nil {
			return errors.Join(err, perr, finish())
		}
		select {
		case <-ended:
			stop()
			return err
		case <-time.After(limit):
			err = errors.Join(err, fmt.Errorf("the machine does not switch itself off within %s", limit))
		case <-ctx.Done():
		}
	}
	return errors.Join(err, finish())
}

// waitSSH waits until an ssh server answers. QEMU accepts connections long
// before the guest does, so it is its greeting that counts (RFC 4253 4.2).
func waitSSH(ctx context.Context, addr string) error {
	for {
		if greets(ctx, addr) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the machine's ssh server: %w", context.Cause(ctx))
		case <-time.After(time.Second):
		}
	}
}

func greets(ctx context.Context, addr string) bool {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(10*time.Second)) != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "SSH-2.0-")
}

// powerDown presses the machine's power button, by QEMU's control connection
// (QMP: a greeting, then commands and answers as JSON).
func powerDown(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return fmt.Errorf("talk to QEMU: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	answers := json.NewDecoder(conn)
	var greeting map[string]json.RawMessage
	if err := answers.Decode(&greeting); err != nil {
		return fmt.Errorf("talk to QEMU: %w", err)
	}
	for _, command := range []string{"qmp_capabilities", "system_powerdown"} {
		if _, err := fmt.Fprintf(conn, "{\"execute\": %q}\n", command); err != nil {
			return fmt.Errorf("talk to QEMU: %w", err)
		}
		for {
			var answer struct {
				Event  string          `json:"event"`
				Return json.RawMessage `json:"return"`
				Error  json.RawMessage `json:"error"`
			}
			if err := answers.Decode(&answer); err != nil {
				return fmt.Errorf("talk to QEMU: %w", err)
			}
			if answer.Error != nil {
				return fmt.Errorf("QEMU refuses %s: %s", command, answer.Error)
			}
			if answer.Event == "" {
				break
			}
		}
	}
	return nil
}
