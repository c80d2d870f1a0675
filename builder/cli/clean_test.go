package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// terminal returns both ends of a new terminal: what a person has, and what a
// program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		treetest.Skip(t, "needs terminals: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		treetest.Skip(t, "needs terminals: %v", err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// TestCleanHistoryAsks: only y or yes removes the history.
func TestCleanHistoryAsks(t *testing.T) {
	for answer, removes := range map[string]bool{"\n": false, "n\n": false, "yeah\n": false, "y\n": true, "YES\n": true, "\x04": false, "never": false} {
		output := t.TempDir()
		commit := filepath.Join(output, "good/debian-repo-amd64/objects/ab/cd.commit")
		if err := errors.Join(os.MkdirAll(filepath.Dir(commit), 0o755), os.WriteFile(commit, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		person, program := terminal(t)
		said, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer said.Close()
		ctx, cancel := context.WithCancel(context.Background())
		if answer == "never" {
			cancel() // Ctrl-C
		} else if _, err := person.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		c := &command{In: program, Out: streamOn(said), Err: streamOn(said), args: []string{"good"}, options: options{output: output}, verb: cleanVerb}
		if err := c.open(); err != nil {
			t.Fatal(err)
		}
		err = (&cleanOptions{history: true}).run(ctx, c)
		if code := c.exit(ctx, err); answer == "never" && code != exitInterrupted {
			t.Errorf("exit code %d", code)
		}
		cancel()
		text, _ := os.ReadFile(said.Name())
		if !strings.Contains(string(text), "with the history of 1 commit that machines upgrade from?") {
			t.Errorf("%q: asked %q", answer, text)
		}
		if answer == "never" && !strings.HasSuffix(string(text), "[y/N] \ntreewright: stopped\n") {
			t.Errorf("after Ctrl-C: %q", text)
		}
		if treefs.Exists(commit) == removes || (err == nil) != removes {
			t.Errorf("%q: the history is there: %v, error %v", answer, treefs.Exists(commit), err)
		}
	}
}
