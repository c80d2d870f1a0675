package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
)

// The exit codes; docs/reference.md lists them.
const (
	exitOK          = 0
	exitFailed      = 1   // a step, or anything else at run time, failed
	exitUsage       = 2   // the command line makes no sense
	exitConfig      = 3   // flavours or features are faulty
	exitHost        = 4   // this machine lacks something
	exitDiffers     = 5   // diff --exit-code, verify: what was compared is not the same
	exitInterrupted = 130 // Ctrl-C or SIGTERM
)

// exitOf is the exit code of what is not a verb of ours. An error says which program
// it is from.
func exitOf(err error, errs *os.File) int {
	if err == nil {
		return exitOK
	}
	if status, only := diag.OnlyEnded(err); only {
		return status
	}
	fmt.Fprintln(streamOn(errs), err)
	return exitFailed
}

// exit describes what went wrong and returns the exit code: the one place that does.
func (c *command) exit(ctx context.Context, err error) int {
	if err == nil {
		// A result that nobody gets is not one.
		err = c.Out.fault()
	}
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil {
		said := "treewright: stopped"
		if newFlags(c.verb, &options{}).Lookup("memory") != nil { // it runs steps
			said += "; nothing incomplete is left, and the next run continues after the last finished step"
		}
		fmt.Fprintln(c.Err, said)
		return exitInterrupted
	}
	if status, only := diag.OnlyEnded(err); only {
		return status
	}
	helps := c.helps(err)
	var usage *diag.Request
	var conf *diag.Faults
	var host *diag.Host
	var step *engine.StepError
	var differ *differs
	switch {
	case errors.As(err, &usage):
		topic := ""
		if c.named && c.verb != helpVerb {
			topic = " " + c.verb.name
		}
		fmt.Fprint(c.Err, c.told(fmt.Sprintf("treewright: %s%s\nTry `./build help%s`.\n", usage, helps, topic)))
		return exitUsage
	case errors.As(err, &conf):
		c.diagnostics(&config.Project{Files: conf.Files}, conf.List)
		switch {
		case conf.Outside:
			return exitFailed
		case conf.Requested():
			return exitUsage
		}
		return exitConfig
	case errors.As(err, &host):
		fmt.Fprintf(c.Err, "treewright: %s\n", host)
		return exitHost
	case errors.As(err, &differ):
		fmt.Fprintf(c.Err, "treewright: %s\n", differ)
		return exitDiffers
	case errors.As(err, &step):
		return c.exitOfStep(err, step)
	case os.Geteuid() != 0 && c.forbidden(err):
		fmt.Fprintf(c.Err, "treewright: %s: try sudo\n", err)
		return exitHost
	}
	fmt.Fprint(c.Err, c.told(fmt.Sprintf("treewright: %s%s\n", err, helps)))
	return exitFailed
}

// helps is the end of a message: which command helps, if the error suggests one.
func (c *command) helps(err error) string {
	var suggested *diag.Suggested
	if !errors.As(err, &suggested) {
		return ""
	}
	tree := c.elsewhere()
	if strings.HasPrefix(suggested.Verb, initVerb.name) {
		tree = "" // it writes another one
	}
	return fmt.Sprintf("; `./build %s%s` %s", tree, suggested.Verb, suggested.Does)
}

// forbidden reports whether a user may not do something to the cache or the output, such as
// when root has built there before.
func (c *command) forbidden(err error) bool {
	var path *fs.PathError
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &path) {
		return false
	}
	for _, dir := range []string{c.options.cache, c.options.output} {
		if rel, err := filepath.Rel(dir, path.Path); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

// exitOfStep explains why a step failed, and where to look.
func (c *command) exitOfStep(err error, step *engine.StepError) int {
	code := exitFailed
	if step.Fault == nil {
		fmt.Fprintf(c.Err, "\ntreewright: %s\n", err)
	} else {
		code = exitConfig
		fmt.Fprintf(c.Err, "\ntreewright: step %s finds a fault in the configuration\n\n", step.Step)
		c.diagnostics(&config.Project{Files: step.Fault.Files}, step.Fault.List)
	}
	if step.Log != "" {
		fmt.Fprintf(c.Err, "\n  the whole log:  less %s\n", step.Log)
	}
	if f := c.options.current; f != "" && step.Shell && step.Log != "" {
		fmt.Fprint(c.Err, c.told("  look inside:    ./build "), c.elsewhere(), "shell ", f, " ", step.Step, "\n")
	}
	if step.Shell && step.Command != "" {
		fmt.Fprintf(c.Err, "  run it again:   %s    (in that shell)\n", step.Command)
	}
	return code
}
