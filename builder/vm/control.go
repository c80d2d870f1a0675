package vm

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// press is how long a machine has to react to its power button before it is
// pressed again.
const press = 10 * time.Second

// switchOff presses the power button of the machine whose control connection
// comes to listener until it has ended: one that is just restarting does not
// see it.
func switchOff(ctx context.Context, listener net.Listener, ended <-chan struct{}, limit time.Duration) error {
	conn, err := listener.Accept()
	if err != nil {
		return fmt.Errorf("talk to QEMU: %w", err)
	}
	defer conn.Close()
	answers := json.NewDecoder(conn)
	if err := command(conn, answers, "qmp_capabilities"); err != nil {
		return err
	}
	deadline := time.After(limit)
	for {
		if err := command(conn, answers, "system_powerdown"); err != nil {
			// It may be at its end already.
			select {
			case <-ended:
				return nil
			case <-time.After(press):
				return err
			}
		}
		select {
		case <-ended:
			return nil
		case <-time.After(press):
		case <-deadline:
			return fmt.Errorf("the machine did not switch itself off within %s", limit)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// command carries out a command of QEMU's control protocol (QMP): a greeting,
// then commands and answers as JSON, with events in between.
func command(conn net.Conn, answers *json.Decoder, name string) error {
	if err := conn.SetDeadline(time.Now().Add(press)); err != nil {
		return fmt.Errorf("talk to QEMU: %w", err)
	}
	if _, err := fmt.Fprintf(conn, "{\"execute\": %q}\n", name); err != nil {
		return fmt.Errorf("talk to QEMU: %w", err)
	}
	for {
		var answer struct {
			Return *json.RawMessage `json:"return"`
			Error  *json.RawMessage `json:"error"`
		}
		if err := answers.Decode(&answer); err != nil {
			return fmt.Errorf("talk to QEMU: %w", err)
		}
		switch {
		case answer.Error != nil:
			return fmt.Errorf("QEMU refuses %s: %s", name, *answer.Error)
		case answer.Return != nil:
			return nil
		}
	}
}
