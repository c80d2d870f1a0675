package stages

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/task"
)

func TestHeard(t *testing.T) {
	for script, want := range map[string]string{
		`echo one; (sleep 0.2; echo two) & exit 0`:      "one\ntwo\n",
		`echo one; (sleep 0.2; echo two >&2) & exit 3`:  "one\ntwo\n",
		`sleep 2 >/dev/null 2>&1 & echo it went astray`: "it went astray\n",
	} {
		var log bytes.Buffer
		err := runToEnd(context.Background(), &task.Task{Log: &log}, sandbox.Command{Argv: []string{"sh", "-c", script}})
		var exit *sandbox.ExitError
		if failed := strings.HasSuffix(script, "exit 3"); errors.As(err, &exit) != failed || (err != nil) != failed {
			t.Errorf("%s: error %v", script, err)
		}
		if log.String() != want {
			t.Errorf("%s: log %q, want %q", script, log.String(), want)
		}
	}
}
