package task

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/shell"
)

// endsItself finds errexit in a script for sh.
var endsItself = regexp.MustCompile(`(?m)^#![^\n]*\bsh[ \t]+-[a-z]*e|^[ \t]*set[ \t]+(?:-[a-z]*e|-o[ \t]+errexit)`)

// endedBySh names the script for sh that ended, with its status. dash does not report which
// command that was, so the hint is how to find out. Other errors stay as they are.
func (t *Task) endedBySh(script string, err error) error {
	var exit *sandbox.ExitError
	if !errors.As(err, &exit) || exit.Status > 128 {
		return err
	}
	src, readErr := os.ReadFile(filepath.Join(t.Tree, script))
	if program := shell.ReadFirst(src).Program; readErr != nil || program != "sh" && program != "dash" {
		return err
	}
	ended := &ScriptError{Place: strings.TrimPrefix(script, ToolSource+"/"), Status: exit.Status, Err: err}
	if endsItself.Match(src) {
		ended.Hint = "sh does not tell which command ended it. Begin the script with #!/bin/bash to be told that with its line, or write set -x to see each command in the log."
	}
	return ended
}
