package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Session is a guest with an agent in it, through any number of boots.
type Session struct {
	// Job runs QEMU; its Argv is filled in from Machine.
	Job     Job
	Machine Machine
	// Credentials are handed to the guest beside the agent.
	Credentials []Credential
	// Waiting is told, now and then, what is being waited for and for how long
	// already.
	Waiting func(what string, since, limit time.Duration)

	stop     context.CancelFunc
	ended    chan struct{} // closed when QEMU has ended, for the reason in exit
	exit     error
	conn     net.Conn
	messages chan message
	lastID   int
	boot     string // the boot that the agent last reported
}

// Names in a job's shared directory.
const (
	agentSocket = "agent.sock"
	payloadFile = "payload.tar"
	qemuLog     = "qemu.log"
)

var errRestarted = errors.New("the machine restarted unexpectedly")

// GuestError is a script that ran in the guest and failed.
type GuestError struct {
	Status int
	Output string
}

func (e *GuestError) Error() string {
	what := fmt.Sprintf("exit status %d", e.Status)
	if e.Status == 124 || e.Status == 137 {
		what += " (not done in time)"
	}
	if out := strings.TrimSpace(e.Output); out != "" {
		return out + "\n" + what
	}
	return what
}

// Start starts QEMU. It does not wait for the guest; see [Session.WaitReady].
func (s *Session) Start(ctx context.Context) error {
	s.Machine.Agent, s.Machine.Payload = SharedDir+"/"+agentSocket, SharedDir+"/"+payloadFile
	s.Machine.Credentials = append(UnitCredentials("treewright-agent.service", agentUnit), s.Credentials...)
	s.Job.Argv = s.Machine.Argv()
	if err := os.MkdirAll(s.Job.Shared(), 0o755); err != nil {
		return err
	}
	listener, err := listenIn(s.Job.Shared(), agentSocket)
	if err != nil {
		return err
	}
	defer listener.Close()
	log, err := os.OpenFile(filepath.Join(s.Job.Shared(), qemuLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	ctx, s.stop = context.WithCancel(ctx)
	s.ended, s.exit = make(chan struct{}), nil
	go func() {
		defer close(s.ended)
		s.exit = s.Job.Run(ctx, false, log)
	}()
	accepted := make(chan error, 1)
	go func() {
		var err error
		s.conn, err = listener.Accept()
		accepted <- err
	}()
	select {
	case err = <-accepted:
	case <-s.ended:
		err = s.dead()
	case <-time.After(time.Minute):
		err = errors.New("QEMU does not start within a minute")
	}
	if err != nil {
		listener.Close()
		s.Kill()
		return err
	}
	s.messages = make(chan message, 16)
	s.boot = ""
	go readMessages(s.conn, s.messages)
	return nil
}

// readMessages passes on what the agent says until the connection ends.
func readMessages(conn net.Conn, to chan<- message) {
	defer close(to)
	lines := bufio.NewReaderSize(conn, 1<<20)
	for {
		line, err := lines.ReadSlice('\n')
		if err == nil {
			if m, ok := parseMessage(string(line)); ok {
				to <- m
			}
		} else if !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// dead explains why QEMU ended.
func (s *Session) dead() error {
	text, _ := os.ReadFile(filepath.Join(s.Job.Shared(), qemuLog))
	if s.exit == nil {
		return errors.New("the machine was switched off")
	}
	return fmt.Errorf("QEMU ended: %w\n%s", s.exit, strings.TrimSpace(string(text)))
}

// Kill ends QEMU at once, as when the power fails, and waits for its end.
func (s *Session) Kill() {
	if s.stop == nil {
		return
	}
	s.stop()
	<-s.ended
	if s.conn != nil {
		s.conn.Close()
		// The reader may be waiting to pass something on.
		for range s.messages {
		}
		s.conn = nil
	}
	s.stop = nil
}

// WaitReady waits for the agent of a boot that has not been seen yet.
func (s *Session) WaitReady(ctx context.Context, what string, limit time.Duration) error {
	for {
		m, err := s.next(ctx, what, limit)
		if err != nil {
			return err
		}
		if m.kind == "ready" && m.boot != s.boot {
			s.boot = m.boot
			return nil
		}
	}
}

// Answers says, without waiting, whether there is an agent in this boot.
func (s *Session) Answers() bool {
	for {
		select {
		case m, ok := <-s.messages:
			if !ok {
				return false
			}
			if m.kind == "ready" {
				s.boot = m.boot
			}
		default:
			return s.boot != ""
		}
	}
}

// Exec runs a bash script in the guest as root and returns what it wrote. One
// that fails, or takes longer than limit, gives a *GuestError.
func (s *Session) Exec(ctx context.Context, what, script string, limit time.Duration) (string, error) {
	s.lastID++
	if _, err := s.conn.Write([]byte(runLine(s.lastID, limit, script))); err != nil {
		return "", fmt.Errorf("talk to the guest: %w", err)
	}
	for {
		// The guest ends the script itself; it may need a while to say so.
		m, err := s.next(ctx, what, limit+time.Minute)
		switch {
		case err != nil:
			return "", err
		case m.kind == "ready" && m.boot != s.boot:
			s.boot = m.boot
			return "", errRestarted
		case m.kind != "done" || m.id != s.lastID:
			continue
		case m.status != 0:
			return m.output, &GuestError{Status: m.status, Output: m.output}
		}
		return m.output, nil
	}
}

// next waits for the next message.
func (s *Session) next(ctx context.Context, what string, limit time.Duration) (message, error) {
	start := time.Now()
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		select {
		case m, ok := <-s.messages:
			if !ok {
				<-s.ended
				return message{}, s.dead()
			}
			return m, nil
		case <-tick.C:
			s.Waiting(what, time.Since(start), limit)
		case <-deadline.C:
			return message{}, fmt.Errorf("waited %s for %s, without success", limit, what)
		case <-ctx.Done():
			return message{}, context.Cause(ctx)
		}
	}
}

// Reboot restarts the guest in order and waits for it to be back.
func (s *Session) Reboot(ctx context.Context, what string, limit time.Duration) error {
	s.lastID++
	if _, err := s.conn.Write([]byte(runLine(s.lastID, time.Minute, "systemctl reboot"))); err != nil {
		return fmt.Errorf("talk to the guest: %w", err)
	}
	for {
		m, err := s.next(ctx, what, limit)
		switch {
		case err != nil:
			return err
		case m.kind == "ready" && m.boot != s.boot:
			s.boot = m.boot
			return nil
		case m.kind == "done" && m.id == s.lastID && m.status != 0 && !signalled(m.status):
			// That it was done is often not told: the agent is among the first
			// to be stopped.
			return &GuestError{Status: m.status, Output: m.output}
		}
	}
}

// signalled reports whether an exit status is that of a program that a signal
// ended, as bash tells it.
func signalled(status int) bool { return status > 128 }

// Ended reports whether QEMU has ended, or was never started.
func (s *Session) Ended() bool {
	if s.stop == nil {
		return true
	}
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}
