package cli

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// TestShells types into real shells on a terminal: testdata/shells/*.txtar. `typed
// SHELL FILE` goes through the lines of FILE: "> TEXT" is typed, with <TAB> and <ENTER>
// for these keys, and then "< TEXT" must have appeared on the terminal, and "! TEXT"
// not. Before each ">", what was typed is taken back. The terminal has 60 columns.
func TestShells(t *testing.T) {
	for _, shell := range []string{"bash", "zsh"} {
		if _, err := exec.LookPath(shell); err != nil {
			treetest.Skip(t, "needs %s: %v", shell, err)
		}
	}
	person, _ := terminal(t) // or it is skipped
	person.Close()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/shells",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"typed": typed, "masked": masked, "expect": expect},
	})
}

// How a shell is started so that it is like any other user's who has configured nothing.
var shells = map[string][]string{
	"bash": {"bash", "--norc", "--noprofile", "-i"},
	"zsh":  {"zsh", "-f", "-i"},
}

const prompt = "READY> "

func typed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || shells[args[0]] == nil {
		ts.Fatalf("usage: typed bash|zsh FILE")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n")
	s, err := startShell(ts, shells[args[0]])
	ts.Check(err)
	defer s.end()
	ts.Check(s.wait(prompt))
	for n, line := range lines {
		what, text := line[:min(2, len(line))], line[min(2, len(line)):]
		switch what {
		case "> ":
			// Ctrl-A Ctrl-K takes back all that is on the line in both shells.
			s.forget()
			ts.Check(s.write("\x01\x0b\r"))
			ts.Check(s.wait(prompt))
			s.forget()
			ts.Check(s.write(strings.NewReplacer("<TAB>", "\t", "<ENTER>", "\r").Replace(text)))
		case "< ":
			if err := s.wait(text); err != nil {
				ts.Fatalf("%s:%d: %v", args[1], n+1, err)
			}
		case "! ":
			if seen := s.seen(); strings.Contains(seen, text) {
				ts.Fatalf("%s:%d: %q appeared:\n%s", args[1], n+1, text, seen)
			}
		case "", "# ":
		default:
			ts.Fatalf("%s:%d: not a line of a dialogue: %q", args[1], n+1, line)
		}
	}
}

// typing is a shell on a terminal.
type typing struct {
	person *os.File
	cmd    *exec.Cmd
	mu     sync.Mutex
	text   strings.Builder // since forget
	done   chan struct{}
}

func startShell(ts *testscript.TestScript, argv []string) (*typing, error) {
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	if err := unix.IoctlSetWinsize(int(person.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 60}); err != nil {
		return nil, err
	}
	program, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "WORK", "NO_COLOR", "TMPDIR", "TESTSCRIPT_COMMAND_DIR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Env = append(cmd.Env, "TERM=vt100", "LC_ALL=C.UTF-8", "PS1="+prompt, "PROMPT="+prompt, "INPUTRC="+ts.MkAbs("inputrc"), "HISTFILE=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &typing{person: person, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		buffer := make([]byte, 4096)
		for {
			n, err := person.Read(buffer)
			s.mu.Lock()
			s.text.Write(buffer[:n])
			s.mu.Unlock()
			if err != nil {
				return // the shell has ended
			}
		}
	}()
	return s, nil
}

// end ends the shell and what it started.
func (s *typing) end() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
	<-s.done
	s.person.Close()
}

func (s *typing) write(text string) error {
	_, err := s.person.WriteString(text)
	return err
}

func (s *typing) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Reset()
}

// escapes move the cursor, or choose colours.
var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]|\x1b[=>]|[\x00\x07]|\\$<[0-9]+>")

// seen is what appeared since forget.
func (s *typing) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seen []rune
	for _, r := range escapes.ReplaceAllString(s.text.String(), "") {
		switch {
		case r != '\b':
			seen = append(seen, r)
		case len(seen) > 0: // what comes next is written over it
			seen = seen[:len(seen)-1]
		}
	}
	return string(seen)
}

// wait waits until a text has appeared.
func (s *typing) wait(text string) error {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		seen := s.seen()
		if strings.Contains(seen, text) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%q did not appear, but\n%q", text, seen)
		}
	}
}
