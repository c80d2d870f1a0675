package vm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"
)

// consoleSocket is where the serial console of a machine is found in a job's shared
// directory that keeps a log of it as well.
const consoleSocket = "console.sock"

// attach connects a person's terminal with the machine's console until the machine ends,
// the person types Ctrl-A X, or ctx ends.
func (s *Session) attach(ctx context.Context, in, out *os.File) error {
	conn, err := dialIn(s.Job.Shared(), consoleSocket)
	if err != nil {
		return fmt.Errorf("connect with the console: %w", err)
	}
	defer conn.Close()
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("connect with the console: %w", err)
	}
	defer func() { _ = term.Restore(int(in.Fd()), before) }()
	enough := make(chan struct{}, 2)
	go func() {
		_, _ = io.Copy(out, conn)
		enough <- struct{}{}
	}()
	// A shell that waits for input shows nothing of itself. That the machine has ended
	// already is seen below.
	_, _ = conn.Write([]byte("\r"))
	go func() {
		typed(in, conn)
		enough <- struct{}{}
	}()
	select {
	case <-enough:
	case <-s.ended:
	case <-ctx.Done():
	}
	return nil
}

// typed passes on what is typed until that is Ctrl-A X, as at QEMU's own console; Ctrl-A
// twice passes on one.
func typed(in io.Reader, to io.Writer) {
	const escape = 1
	buffer, escaped := make([]byte, 256), false
	for {
		n, err := in.Read(buffer)
		var pass bytes.Buffer
		enough := false
		for _, b := range buffer[:n] {
			if enough = escaped && (b == 'x' || b == 'X'); enough {
				break
			}
			if escaped = !escaped && b == escape; !escaped {
				pass.WriteByte(b)
			}
		}
		if _, werr := to.Write(pass.Bytes()); enough || err != nil || werr != nil {
			return
		}
	}
}

// consoleAt is the machine's console as a socket, in the job's shared directory.
func consoleAt() string { return filepath.Join(SharedDir, consoleSocket) }
