package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/shell"
	"github.com/treewright/treewright/builder/treefs"
)

// Names of files beside the sources, in /builder, while a script for bash runs: what
// bash reads first, and where the last command that failed is noted.
const (
	trapFile   = ToolSource + "/.trap"
	failedFile = ToolSource + "/.failed"
)

// trap has bash note each command that fails where errexit is set: the exit status, the
// process, that of the script, the options, the line, the file, and the command. It
// leaves nothing else: neither a variable nor anything in other scripts that the
// script starts. The subshells of a script come before the script itself, which
// overwrites what they noted.
const trap = `unset BASH_ENV
set -E
trap 'printf "%s\0" "$?" "$BASHPID" "$$" "$-" "$LINENO" "${BASH_SOURCE[0]-}" "$BASH_COMMAND" >|` + failedFile + `' ERR
`

// ScriptError is a script that ended because a command in it failed.
type ScriptError struct {
	// Place is the script as the configuration names it, with the line; Command is the
	// first line of the command. Where a shell does not tell, neither the line nor the
	// command is there.
	Place, Command string
	Status         int
	// Err is the script's own error.
	Err error
	// Hint is what may help, as a sentence; it may be empty.
	Hint string
}

// Error implements error.
func (e *ScriptError) Error() string {
	text := fmt.Sprintf("%s: %s: exit status %d", e.Place, e.Command, e.Status)
	if e.Command == "" {
		text = fmt.Sprintf("%s: exit status %d", e.Place, e.Status)
	}
	if e.Hint != "" {
		text += "\n" + e.Hint
	}
	return text
}

// Unwrap returns the script's own error.
func (e *ScriptError) Unwrap() error { return e.Err }

// Script runs a script in the tree, with the step's sources in place. If bash runs it
// and ends it because a command failed (set -e), the error is a *[ScriptError].
func (t *Task) Script(ctx context.Context, dir string, argv []string) error {
	if argv[0] != "bash" {
		if err := t.missingInterpreter(argv[0]); err != nil {
			return err
		}
	}
	// What a command is called can contain a secret, and errors are not searched for it.
	if len(t.Step.Secrets) > 0 || !t.runByBash(argv) {
		return t.endedBySh(argv[0], t.InTreeAt(ctx, dir, argv...))
	}
	if err := os.WriteFile(t.Tree+trapFile, []byte(trap), 0o644); err != nil {
		return err
	}
	t.bashEnv = trapFile
	err := t.InTreeAt(ctx, dir, argv...)
	t.bashEnv = ""
	if err == nil {
		return nil
	}
	failed := noted(readNote(t.Tree), err)
	switch {
	case failed == nil:
		return endedByBash(argv, err)
	case failed.Status == notFound:
		failed.Hint = t.lackingHint(failed.Command)
	case !t.Step.Network:
		failed.Hint = networkHint(failed.Command)
	}
	return failed
}

// endedByBash reports which script ended, as the configuration names it, where bash noted no
// command: it ended by exit, or by a variable that is not set.
func endedByBash(argv []string, err error) error {
	var exit *sandbox.ExitError
	if !errors.As(err, &exit) || exit.Status > 128 {
		return err
	}
	script := argv[0]
	if script == "bash" && len(argv) > 1 {
		script = argv[1]
	}
	return &ScriptError{Place: strings.TrimPrefix(script, ToolSource+"/"), Status: exit.Status, Err: err}
}

// lackingHint reports which package brings the program of a command that the tree lacks.
func (t *Task) lackingHint(command string) string {
	program := programOf(command)
	if packages := t.Distro.Brings(program); len(packages) > 0 {
		return fmt.Sprintf("The tree has no %s. Add %s to pkg.include, or for exec.build to pkg.build.", program, packages[0])
	}
	return ""
}

// longestNote bounds what is read of a note, in bytes.
const longestNote = 64 << 10

// readNote reads the note in a tree, "" if there is none. The script can put anything in
// its place: a link to a file of the build host, or a pipe that nobody writes to.
func readNote(tree string) string {
	root, err := treefs.OpenRoot(tree)
	if err != nil {
		return ""
	}
	defer root.Close()
	f, err := root.Open(strings.TrimPrefix(failedFile, "/"))
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	note, err := io.ReadAll(io.LimitReader(f, longestNote))
	if err != nil {
		return ""
	}
	return string(note)
}

// notFound is the status of a shell that does not find a program.
const notFound = 127

// runByBash reports that bash is what runs a script.
func (t *Task) runByBash(argv []string) bool {
	if argv[0] == "bash" {
		return true
	}
	src, err := os.ReadFile(filepath.Join(t.Tree, argv[0]))
	return err == nil && shell.ReadFirst(src).Program == "bash"
}

// noted reads the note of the command that ended a script; nil if it was not that.
func noted(note string, err error) *ScriptError {
	f := strings.Split(note, "\x00")
	if len(f) != 8 || f[1] != f[2] || !strings.Contains(f[3], "e") || !strings.HasSuffix(err.Error(), "exit status "+f[0]) {
		return nil
	}
	status, convErr := strconv.Atoi(f[0])
	if convErr != nil {
		return nil
	}
	command, _, more := strings.Cut(f[6], "\n")
	if len(command) > 200 || more {
		command = strings.ToValidUTF8(command[:min(len(command), 200)], "") + "..."
	}
	place := strings.TrimPrefix(f[5], ToolSource+"/") + ":" + f[4]
	return &ScriptError{Place: event.CleanLine(place), Command: event.CleanLine(command), Status: status, Err: err}
}

// programOf is the name of the program that a command starts, "" if that is not known.
func programOf(command string) string {
	words := strings.Fields(command)
	for len(words) > 1 && (words[0] == "sudo" || words[0] == "exec" || strings.Contains(words[0], "=")) {
		words = words[1:]
	}
	if len(words) == 0 {
		return ""
	}
	return filepath.Base(words[0])
}

// networkHint reports why a program that needs a network fails.
func networkHint(command string) string {
	switch program := programOf(command); program {
	case "apt-get", "apt", "aptitude":
		return "Scripts have no network. Packages that the system is to have belong in pkg.include."
	case "curl", "wget", "git", "pip", "pip3", "npm", "gem", "cargo", "go", "rsync", "ssh", "scp":
		return "Scripts have no network. If " + program + " was to download something, put it into file.include, or make a package of it for file.debs."
	}
	return ""
}
