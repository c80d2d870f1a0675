package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/treewright/treewright/builder/build"
)

func init() {
	verbs = []*verb{
		buildVerb, checkVerb, listVerb, showVerb, planVerb, matrixVerb, graphVerb, reportVerb, whyVerb, diffVerb, budgetVerb, cvesVerb, verifyVerb, lockVerb, outdatedVerb, shellVerb, initVerb, newVerb,
		runVerb, serveVerb, testVerb, extendVerb, addVerb, removeVerb, updateVerb, statusVerb, bundleVerb,
	}
	verbs = append(verbs, unitVerbs...)
	verbs = append(verbs, addedVerbs()...)
	verbs = append(verbs, cleanVerb, cacheVerb, schemaVerb, completionVerb, helpVerb, versionVerb, vmExecVerb, verifyExecVerb)
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
		err = c.traced(ctx)
	}
	return c.exit(ctx, err)
}
