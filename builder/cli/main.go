package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/gardenlinux/imagetool"
	"github.com/treewright/treewright/builder/sandbox"
)

// Streams are the files that a command talks to.
type Streams struct{ In, Out, Err *os.File }

// verb is one thing the command can do.
type verb struct {
	name string
	// args is the usage's tail, summary half a line for the list of verbs,
	// details the help text.
	args, summary, details string
	// complete says what the arguments are, for shell completion: "flavours",
	// "files", or words separated by blanks.
	complete string
	// hidden verbs are for Treewright itself.
	hidden bool
	flags  func(*pflag.FlagSet, *options)
	run    func(ctx context.Context, c *command) error
	// tool is set instead of run where all arguments after the verb are for
	// another program that it stands for.
	tool *imagetool.Program
}

// command is a verb being carried out.
type command struct {
	In       *os.File
	Out, Err stream
	verb     *verb
	options  options
	args     []string
	builder  *build.Builder // does the work
	backend  *build.Backend // what builder stands on; nil is this machine
}

// verbs are in the order in which help lists them. It is filled at run time as
// help itself reads it.
var verbs []*verb

func init() {
	verbs = []*verb{
		buildVerb, checkVerb, listVerb, planVerb, graphVerb, whyVerb, shellVerb, newVerb,
		runVerb, serveVerb, testVerb, featuresVerb,
		cleanVerb, cacheVerb, schemaVerb, completionVerb, helpVerb, versionVerb, stepExecVerb, vmExecVerb,
	}
	verbs = append(verbs, imageTools()...)
}

func findVerb(name string) *verb {
	for _, v := range verbs {
		if v.name == name {
			return v
		}
	}
	return nil
}

// Main runs a command line and returns the exit code.
func Main(args []string, s Streams) int { return runOn(nil, args, s) }

// runOn is Main on something else than this machine.
func runOn(backend *build.Backend, args []string, s Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := parse(backend, args, s)
	if c.verb.tool != nil {
		return c.runTool(ctx)
	}
	// Image scripts, which call the tools, may choose a umask; who calls a build
	// has no say in what it makes.
	sandbox.SetMask()
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
			if v.tool != nil {
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

// firstWord returns the index of the first argument that is neither an option
// nor the value of one, or -1.
func firstWord(args []string) int {
	var o options
	flags := newFlags(buildVerb, &o)
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return -1
		case strings.HasPrefix(a, "--"):
			name, _, hasValue := strings.Cut(a[2:], "=")
			if f := flags.Lookup(name); f != nil && !hasValue && f.NoOptDefVal == "" {
				i++
			}
		case strings.HasPrefix(a, "-") && len(a) > 1:
			if f := flags.ShorthandLookup(a[1:2]); f != nil && len(a) == 2 && f.NoOptDefVal == "" {
				i++
			}
		default:
			return i
		}
	}
	return -1
}

// usagef makes the error of a command line that makes no sense.
func usagef(format string, args ...any) error { return diag.Requestf(format, args...) }
