package cli

import (
	"context"
	"fmt"
	"strings"
)

var versionVerb = &verb{name: "version", summary: "show the version", example: "./build version", run: runVersion}

// number is the version of the next release; CHANGELOG.md has its history.
const number = "0.1.0"

// compiledFrom is set by builder/compile: the whole name of a commit, followed by
// ", changed" if files were others than the commit's. It is empty outside of a clone.
var compiledFrom string

func runVersion(_ context.Context, c *command) error {
	if len(c.args) > 0 {
		return usagef("version takes no arguments, not %q", c.args[0])
	}
	from := ""
	if commit, changed, _ := strings.Cut(compiledFrom, ", "); commit != "" {
		from = " (" + commit[:min(12, len(commit))]
		if changed != "" {
			from += ", " + changed
		}
		from += ")"
	}
	_, err := fmt.Fprintf(c.Out, "treewright %s%s\n", number, from)
	return err
}
