package vm

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// terminal makes a pseudo terminal: the person's end and the program's.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// TestAttach: what a person types comes to the console as it is, Ctrl-C as well, until
// that is Ctrl-A X; then the terminal is as before. A machine that ends, ends it, too.
func TestAttach(t *testing.T) {
	for _, ends := range []string{"Ctrl-A X", "machine"} {
		session, _ := guest(t)
		session.Job.Dir = t.TempDir()
		if err := os.Mkdir(session.Job.Shared(), 0o755); err != nil {
			t.Fatal(err)
		}
		console, err := listenIn(session.Job.Shared(), consoleSocket)
		if err != nil {
			t.Fatal(err)
		}
		defer console.Close()
		heard := make(chan string, 1)
		go func() {
			conn, err := console.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			fmt.Fprint(conn, "root@debian:~# ")
			all, _ := io.ReadAll(conn)
			heard <- string(all)
		}()
		person, program := terminal(t)
		before, err := term.GetState(int(program.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- session.attach(t.Context(), program, program) }()
		shown := make([]byte, 64)
		n, err := person.Read(shown)
		if err != nil || !strings.Contains(string(shown[:n]), "root@debian:~# ") {
			t.Fatalf("shown is %q, %v", shown[:n], err)
		}
		want := "\rls\r\x03"
		if ends == "machine" {
			want = "\r"
			close(session.ended)
			session.stop = func() {}
		} else if _, err := person.WriteString("ls\r\x03\x01x"); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s ends nothing", ends)
		}
		if got := <-heard; got != want {
			t.Errorf("%s: the console heard %q, want %q", ends, got, want)
		}
		after, err := term.GetState(int(program.Fd()))
		if err != nil || *after != *before {
			t.Errorf("%s: the terminal has other settings than before: %v", ends, err)
		}
	}
}
