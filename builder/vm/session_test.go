package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// guest is a session whose other end the test plays.
func guest(t *testing.T) (*Session, net.Conn) {
	host, far := net.Pipe()
	s := &Session{conn: host, messages: make(chan message), ended: make(chan struct{}), Waiting: func(string, time.Duration, time.Duration) {}}
	s.stop = func() { close(s.ended) }
	go readMessages(host, s.messages)
	t.Cleanup(func() {
		far.Close()
		s.Kill()
	})
	return s, far
}

func TestSessionExec(t *testing.T) {
	s, far := guest(t)
	go func() {
		fmt.Fprint(far, "noise\n\nready boot-1\n")
		in := bufio.NewReader(far)
		for _, answer := range []string{"done 99 0 \ndone 1 0 aGVsbG8K\n", "done 2 3 b2ggbm8=\n", "\nready boot-2\n"} {
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
			fmt.Fprint(far, answer)
		}
	}()
	ctx := context.Background()
	if err := s.WaitReady(ctx, "the boot", time.Minute); err != nil {
		t.Fatal(err)
	}
	if out, err := s.Exec(ctx, "a script", "echo hello", time.Minute); out != "hello\n" || err != nil {
		t.Errorf("Exec = %q, %v", out, err)
	}
	_, err := s.Exec(ctx, "a script", "false", time.Minute)
	var failed *GuestError
	if !errors.As(err, &failed) || failed.Status != 3 || failed.Output != "oh no" {
		t.Errorf("a failing script gives %v", err)
	}
	if _, err := s.Exec(ctx, "a script", "crash", time.Minute); err == nil || !strings.Contains(err.Error(), "restarted unexpectedly") {
		t.Errorf("a machine that restarts gives %v", err)
	}
}

func TestSessionReboot(t *testing.T) {
	s, far := guest(t)
	go func() {
		in := bufio.NewReader(far)
		fmt.Fprint(far, "ready boot-1\n")
		if _, err := in.ReadString('\n'); err != nil {
			return
		}
		// The old boot's agent may be started again before it ends.
		fmt.Fprint(far, "done 1 0 \nready boot-1\ndone 1 0 aGVs\nready boot-2\n")
	}()
	ctx := context.Background()
	if err := s.WaitReady(ctx, "the boot", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := s.Reboot(ctx, "the next boot", time.Minute); err != nil || s.boot != "boot-2" {
		t.Errorf("Reboot = %v, boot %q", err, s.boot)
	}
}

func TestSessionRebootIsNotAnswered(t *testing.T) {
	for answer, ok := range map[string]bool{
		"ready boot-2\n":                true, // the agent was stopped at once
		"done 1 143 \nready boot-2\n":   true, // so was systemctl
		"done 1 1 bm8=\nready boot-2\n": false,
	} {
		s, far := guest(t)
		go func() {
			if _, err := bufio.NewReader(far).ReadString('\n'); err == nil {
				fmt.Fprint(far, answer)
			}
		}()
		if err := s.Reboot(context.Background(), "the next boot", time.Minute); (err == nil) != ok {
			t.Errorf("%q gives %v", answer, err)
		}
	}
}

func TestSessionWaitsNotForEver(t *testing.T) {
	s, _ := guest(t)
	if err := s.WaitReady(context.Background(), "the boot", 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "for the boot, without success") {
		t.Errorf("WaitReady = %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.WaitReady(ctx, "the boot", time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitReady = %v", err)
	}
}
