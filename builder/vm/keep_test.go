package vm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestTyped(t *testing.T) {
	for in, want := range map[string]string{
		"ls\r":                  "ls\r",
		"ls\r\x01xrm -rf /\r":   "ls\r",
		"\x01X":                 "",
		"a\x01\x01b":            "a\x01b",
		"\x01qx":                "qx",
		"first\x01":             "first",
		"\x01\x01x\x01\x01X ok": "\x01x\x01X ok",
	} {
		// However the terminal cuts it.
		for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
			var got bytes.Buffer
			typed(r, &got)
			if got.String() != want {
				t.Errorf("%q passes %q, want %q", in, got.String(), want)
			}
		}
	}
}

// TestInbound: what connects to the socket of this machine comes to an address that only
// the job knows.
func TestInbound(t *testing.T) {
	in, err := NewInbound()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "SSH-2.0-test\r\n")
			line, _ := bufio.NewReader(conn).ReadString('\n')
			fmt.Fprint(conn, "you said "+line)
			conn.Close()
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	if err := relay(ctx, dup(t, in.file), server.Addr().String()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		conn, err := net.Dial("tcp", in.Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "hello\n")
		all, _ := io.ReadAll(conn)
		if string(all) != "SSH-2.0-test\r\nyou said hello\n" {
			t.Errorf("got %q", all)
		}
	}
	stop()
}

func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	l, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestKeepStopsAtTheFirstFailure: the machine is as the test that failed left it, and is
// there until somebody has enough; the way in is printed.
func TestKeepStopsAtTheFirstFailure(t *testing.T) {
	session, far := guest(t)
	session.Job.Dir = t.TempDir()
	if err := os.Mkdir(session.Job.Shared(), 0o755); err != nil {
		t.Fatal(err)
	}
	var scripts []string
	go answer(far, func(script string) (string, int) {
		scripts = append(scripts, script)
		if strings.Contains(script, "exec ./bad") {
			return "broken", 1
		}
		return "", 0
	})
	ssh, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ssh.Close()
	go func() {
		for {
			conn, err := ssh.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "SSH-2.0-test\r\n")
			conn.Close()
		}
	}()
	in, err := NewInbound()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ctx, stop := context.WithCancel(t.Context())
	if err := relay(ctx, dup(t, in.file), ssh.Addr().String()); err != nil {
		t.Fatal(err)
	}
	session.boot = "boot-1"
	var said []string
	ended := false
	keep := &Keep{Inbound: in, Say: func(line string) {
		said = append(said, line)
		if strings.Contains(line, "it ends with") {
			time.AfterFunc(50*time.Millisecond, func() { ended = true; stop() }) // Ctrl-C
		}
	}}
	s := &Scenario{Session: session, Report: &Report{Out: io.Discard}, Logs: t.TempDir(), Keep: keep}
	s.kept(ctx)
	if len(said) > 0 {
		t.Errorf("kept before anything failed: %q", said)
	}
	s.tests(ctx, Tests{Feature: "base", Names: []string{"bad", "good"}})
	s.kept(ctx)
	if got, want := outcomes(s.Report), "FAIL base/bad\nskip base/good"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	text := strings.Join(said, "\n")
	key := filepath.Join(session.Job.Shared(), keyFile)
	if !ended || !strings.Contains(text, "ssh -i "+key) || !strings.Contains(text, fmt.Sprintf("kill %d", os.Getpid())) {
		t.Errorf("ended %v; said\n%s", ended, text)
	}
	if last := scripts[len(scripts)-1]; !strings.Contains(last, "ssh-ed25519 ") {
		t.Errorf("the machine knows no key: %s", last)
	}
}

// TestKeepHasNothingToKeep: a machine that has ended is not waited for.
func TestKeepHasNothingToKeep(t *testing.T) {
	session, _ := guest(t)
	session.stop()
	session.stop = nil
	var said []string
	s := &Scenario{Session: session, Report: &Report{Out: io.Discard}, Logs: t.TempDir(), Keep: &Keep{Say: func(line string) { said = append(said, line) }}}
	s.point(t.Context(), "machine", "boot", true, func() error { return errors.New("QEMU ended") })
	s.kept(t.Context())
	if text := strings.Join(said, "\n"); text != "there is no machine to keep: it has ended" {
		t.Errorf("said %q", text)
	}
}

// TestKeepChangesNoBootThatSucceeds: of what is handed to the machine, only units of
// failed boots are others.
func TestKeepChangesNoBootThatSucceeds(t *testing.T) {
	s := &Session{Machine: Machine{Arch: "amd64", SerialLog: "/serial.log"}}
	(&Keep{Shell: &RootShell{Terminal: "xterm"}}).Prepare(s)
	var names []string
	for _, c := range s.Credentials {
		names = append(names, c.Name)
	}
	if got, want := strings.Join(names, " "), "systemd.unit-dropin.emergency.service systemd.unit-dropin.rescue.service"; got != want {
		t.Errorf("credentials %s, want %s", got, want)
	}
	if argv := strings.Join(s.Machine.Argv(), " "); !strings.Contains(argv, "path="+SharedDir+"/"+consoleSocket+",logfile=/serial.log") {
		t.Errorf("the console is not logged, or not a socket: %s", argv)
	}
}
