package cli

import (
	"context"
	"fmt"
	"runtime/debug"
)

var versionVerb = &verb{name: "version", summary: "show the version", example: "./build version", run: runVersion}

// number is the version of the next release; CHANGELOG.md has its history.
const number = "0.1.0"

func runVersion(_ context.Context, c *command) error {
	if len(c.args) > 0 {
		return usagef("version takes no arguments, not %q", c.args[0])
	}
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = " (" + s.Value[:12] + ")"
			}
		}
	}
	_, err := fmt.Fprintf(c.Out, "treewright %s%s\n", number, revision)
	return err
}
