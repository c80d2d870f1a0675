package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/treewright/treewright/builder/gardenlinux/imagetool"
)

// imageTools are the programs that image scripts of Garden Linux trees call,
// as verbs. Their options are theirs alone: -h is not a call for help there.
func imageTools() []*verb {
	var all []*verb
	for _, p := range imagetool.Programs() {
		all = append(all, &verb{name: p.Name, args: p.Usage, summary: p.Summary, hidden: true, tool: &p})
	}
	return all
}

// IsTool says whether the program stands in for another one when it is called
// by that name, through a link or a mount.
func IsTool(name string) bool {
	v := findVerb(name)
	return v != nil && v.tool != nil
}

// runTool carries such a verb out and returns the exit code. Each line of an
// error begins with the program's name.
func (c *command) runTool(ctx context.Context) int {
	err := c.verb.tool.Run(ctx, c.args, os.Getenv, imagetool.Streams{In: c.In, Out: c.Out.File, Err: c.Err})
	if err == nil {
		return exitOK
	}
	for _, line := range strings.Split(strings.TrimSpace(err.Error()), "\n") {
		fmt.Fprintf(c.Err, "%s: %s\n", c.verb.name, line)
	}
	return exitFailed
}
