package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/treetest"
	"github.com/treewright/treewright/builder/vm"
)

// TestRootJobPassesItsStatus: the process that carries out a job, such as the ssh client
// of `run --ssh`, ends as the program did, if that is asked for.
func TestRootJobPassesItsStatus(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it mounts a tree")
	}
	tools := t.TempDir()
	source := filepath.Join(t.TempDir(), "main.go")
	treetest.Write(t, source, "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(3) }\n")
	build := exec.Command("go", "build", "-o", filepath.Join(tools, "fails"), source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for passes, want := range map[bool]int{true: 3, false: exitFailed} {
		job := vm.Job{Tools: []string{tools}, Dir: t.TempDir(), Argv: []string{"/fails"}, Passes: passes}
		err := job.Run(t.Context(), true, nil)
		var exit *sandbox.ExitError
		if !errors.As(err, &exit) || exit.Status != want {
			t.Errorf("passes %v: %v, want status %d", passes, err, want)
		}
	}
}

// TestExitOfWhatEnded: an exit status is passed on without a word, and hides no error.
func TestExitOfWhatEnded(t *testing.T) {
	ended := &diag.Ended{Status: 7}
	for _, c := range []struct {
		err  error
		code int
		said string
	}{
		{ended, 7, ""},
		{errors.Join(ended, nil), 7, ""},
		{errors.Join(ended, errors.New("the disk is full")), exitFailed, "treewright: exit status 7\nthe disk is full\n"},
	} {
		file, err := os.Create(filepath.Join(t.TempDir(), "err"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if code := (&command{verb: shellVerb, Err: streamOn(file)}).exit(t.Context(), c.err); code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, code, c.code)
		}
		if said := treetest.Content(t, file.Name()); said != c.said {
			t.Errorf("%v: said %q, want %q", c.err, said, c.said)
		}
	}
}

// TestForbidden: an error about a cache or output that belongs to root suggests sudo; other
// errors of permission do not.
func TestForbidden(t *testing.T) {
	c := &command{options: options{cache: "/tree/.cache", output: "/tree/.build"}}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{&fs.PathError{Op: "chmod", Path: "/tree/.cache/store", Err: syscall.EPERM}, true},
		{fmt.Errorf("make the output: %w", &fs.PathError{Op: "mkdir", Path: "/tree/.build", Err: syscall.EACCES}), true},
		{&fs.PathError{Op: "mkdir", Path: "/tree/features/x", Err: syscall.EACCES}, false},
		{&fs.PathError{Op: "open", Path: "/tree/.cache/store", Err: syscall.ENOSPC}, false},
		{syscall.EPERM, false},
	} {
		if got := c.forbidden(test.err); got != test.want {
			t.Errorf("%v: %v", test.err, got)
		}
	}
}
