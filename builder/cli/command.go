package cli

import (
	"context"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/rules"
)

// Streams are the files that a command talks to.
type Streams struct{ In, Out, Err *os.File }

// verb is one thing the command can do.
type verb struct {
	name string
	// args is the usage's tail, summary half a line for the list of verbs,
	// details the help text.
	args, summary, details string
	// example is one command line, or several.
	example string
	// aliases are other names.
	aliases []string
	// uses are those by which kinds of trees add to the help text.
	uses []rules.Use
	// complete describes what the arguments are, for shell completion. Those of each
	// position are separated by commas; with "..." at the end, more can follow of the
	// last. Each is one of the kinds "flavours", "steps", "why" (what it explains of the
	// flavour before it), "named" (the name after that), "compared"
	// (what diff compares), "listed" (what list takes first), "copies" (what `new` has a copy of), "wanted" (packages that were
	// added to this machine), "topics" (of help) and "directories", or words separated by blanks.
	complete string
	// other verbs are those that kinds of trees add.
	other bool
	// hidden verbs are for Treewright itself.
	hidden bool
	flags  func(*pflag.FlagSet, *options)
	run    func(ctx context.Context, c *command) error
	// verbatim reports that all that follows is for another program, which the verb
	// means.
	verbatim bool
}

// command is a verb being carried out.
type command struct {
	In       *os.File
	Out, Err stream
	verb     *verb
	options  options
	// named reports that the command line names the verb.
	named   bool
	args    []string
	builder *build.Builder // does the work
	backend *build.Backend // what builder uses of a machine; nil is this machine
	trace   *event.Trace   // nil if none was asked for
}

// options are the values of all options; a verb sees those it declares and the
// common ones.
type options struct {
	help     bool
	version  bool
	dir      string
	cache    string
	output   string
	budget   string
	vars     []string
	secrets  []string
	progress string
	verbose  bool
	trace    string
	jobs     int
	memory   int
	offline  bool
	locked   bool
	// noShortcuts is --no-shortcuts.
	noShortcuts bool
	allLayers   bool
	rewind      bool
	sign        build.SignOptions
	remote      build.RemoteOptions
	exec        build.ExecOptions
	// other has the options that kinds of trees add.
	other rules.Kind

	// current is the flavour being worked on, for messages.
	current string
}

// verbs are in the order in which help lists them. It is filled at run time, in
// main.go, as help itself reads it.
var verbs []*verb

func findVerb(name string) *verb {
	for _, v := range verbs {
		if v.name == name || slices.Contains(v.aliases, name) {
			return v
		}
	}
	return nil
}

// verbNames are the names of all verbs that help shows.
func verbNames() []string {
	var names []string
	for _, v := range verbs {
		if !v.hidden {
			names = append(names, v.name)
		}
	}
	return names
}

// lists adds to an error that a flavour is not named which verb lists them.
func lists(err error) error { return diag.Suggest(err, "list", "lists the flavours") }

// usagef makes the error of a command line that makes no sense.
func usagef(format string, args ...any) error { return diag.Requestf(format, args...) }
