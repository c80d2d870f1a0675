package cli

import (
	"context"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/rules"
)

// additionOf is what kinds of trees add to verbs of a use, for help.
func additionOf(use rules.Use) rules.Addition { return build.Other().Addition(use) }

// ofOtherKind marks the options that kinds of trees add.
const ofOtherKind = "treewright_other_kind"

// addFlags declares the options that kinds of trees add to verbs of a use.
func addFlags(f *pflag.FlagSet, o *options, use rules.Use) {
	flags := o.other.Addition(use).Flags
	if flags == nil {
		return
	}
	before := map[string]bool{}
	f.VisitAll(func(flag *pflag.Flag) { before[flag.Name] = true })
	flags(f)
	f.VisitAll(func(flag *pflag.Flag) {
		if !before[flag.Name] {
			flag.Annotations = map[string][]string{ofOtherKind: {}}
		}
	})
}

// addedVerbs are the verbs that kinds of trees add.
func addedVerbs() []*verb {
	var all []*verb
	for _, a := range build.Other().Verbs() {
		v := &verb{
			name: a.Name, args: a.Args, summary: a.Summary, details: a.Details, example: a.Example, complete: strings.Join(a.Complete, " "),
			other: true, hidden: a.Hidden, verbatim: a.Verbatim,
			run: func(ctx context.Context, c *command) error { return a.Run(ctx, c.call()) },
		}
		if a.Flags != nil {
			v.flags = func(f *pflag.FlagSet, _ *options) { a.Flags(f) }
		}
		all = append(all, v)
	}
	return all
}

// call is the command as such a verb is given it.
func (c *command) call() rules.Call {
	call := rules.Call{Args: c.args, In: c.In, Out: c.Out, Err: c.Err}
	if c.builder != nil {
		call.Dir, call.Bounded = c.builder.Root(), c.builder.Bounded
	}
	return call
}
