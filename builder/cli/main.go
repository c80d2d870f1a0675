package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
)

func init() {
	verbs = []*verb{
		buildVerb, checkVerb, listVerb, showVerb, planVerb, graphVerb, whyVerb, shellVerb, initVerb, newVerb,
		runVerb, serveVerb, testVerb,
	}
	verbs = append(verbs, addedVerbs()...)
	verbs = append(verbs, cleanVerb, cacheVerb, schemaVerb, completionVerb, helpVerb, versionVerb, vmExecVerb)
}

// Main runs a command line, the program's name first, and returns the exit code.
func Main(args []string, s Streams) int { return runOn(nil, args, s) }

// runOn is Main on something else than this machine.
func runOn(backend *build.Backend, args []string, s Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if done, err := build.Child(ctx, args); done {
		return exitOf(err, s.Err)
	}
	c, err := parse(backend, args[1:], s)
	if c.verb.verbatim {
		return exitOf(c.verb.run(ctx, c), s.Err)
	}
	if err == nil {
		err = c.verb.run(ctx, c)
	}
	return c.exit(ctx, err)
}

// parse finds the verb and its options. A command line without a verb is one
// for build.
func parse(backend *build.Backend, args []string, s Streams) (*command, error) {
	c := &command{In: s.In, Out: stream{s.Out}, Err: stream{s.Err}, verb: buildVerb, backend: backend}
	rest := args
	if i := firstWord(args); i >= 0 {
		if v := findVerb(args[i]); v != nil {
			c.verb = v
			rest = append(append([]string{}, args[:i]...), args[i+1:]...)
			if v.verbatim {
				c.args = args[i+1:]
				return c, nil
			}
		}
	}
	flags := newFlags(c.verb, &c.options)
	if err := flags.Parse(rest); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			c.options.help = true
		} else {
			return c, diag.Requestf("%v", err)
		}
	}
	c.args = flags.Args()
	if c.options.help {
		c.args = []string{c.verb.name}
		if firstWord(args) < 0 {
			c.args = nil
		}
		c.verb = helpVerb
	}
	if err := c.options.complete(); err != nil {
		return c, err
	}
	return c, c.open()
}
