package gardenlinux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/gardenlinux/imagetool"
	"github.com/treewright/treewright/builder/rules"
)

// helperVerbs are the programs that image scripts call, as verbs. Their options are
// theirs alone: -h is not a call for help there.
func helperVerbs() []rules.Verb {
	var all []rules.Verb
	for _, p := range imagetool.Programs() {
		all = append(all, rules.Verb{
			Name: p.Name, Args: p.Usage, Summary: p.Summary, Hidden: true, Verbatim: true,
			Run: func(ctx context.Context, c rules.Call) error {
				return runHelper(ctx, p, c.Args, imagetool.Streams{In: c.In, Out: c.Out, Err: c.Err})
			},
		})
	}
	return all
}

// Helper does the work of a program that image scripts call, if this one was started
// by the name of one: through a link or a mount. args are all of the program's.
func Helper(ctx context.Context, args []string) (done bool, err error) {
	if len(args) == 0 {
		return false, nil
	}
	name := filepath.Base(args[0])
	for _, p := range imagetool.Programs() {
		if p.Name == name {
			return true, runHelper(ctx, p, args[1:], imagetool.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
		}
	}
	return false, nil
}

// runHelper runs one of them. Each line of an error begins with the program's name.
func runHelper(ctx context.Context, p imagetool.Program, args []string, s imagetool.Streams) error {
	err := p.Run(ctx, args, os.Getenv, s)
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	for i := range lines {
		lines[i] = fmt.Sprintf("%s: %s", p.Name, lines[i])
	}
	return errors.New(strings.Join(lines, "\n"))
}
