package rules

import (
	"context"
	"io"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/treefs"
)

// Kind is a kind of configuration trees beside those with flavours, before a tree
// is known: it has rules for any, and what it adds to a command line is offered in
// all of them. A value of it keeps the options of one command line.
type Kind interface {
	// Rules are the kind's rules for a tree, with what the options say.
	Rules(Place) Rules
	// Addition is what the kind adds to verbs of a use.
	Addition(Use) Addition
	// Verbs are those that the kind adds.
	Verbs() []Verb
	// Topic is what help says of the kind.
	Topic() Topic
	// Answer prints what options of [Building] ask about subjects in place of
	// building them. It returns false if they ask nothing.
	Answer(out io.Writer, subjects []*Subject) (bool, error)
}

// Place is where rules are used.
type Place struct {
	Tree *treefs.FS
	// Dir is where it is, and Hidden are directories of ours, perhaps in it.
	Dir    string
	Hidden []string
	// Distro is the family of distributions of trees that name none.
	Distro distro.Distro
	// BesideFlavours reports that the features are written for flavours.
	BesideFlavours bool
	// Say gets what a user should know.
	Say func(line string)
}

// Use is what verbs are for.
type Use int

// The uses to which kinds add something. All but Checking plan steps.
const (
	Planning Use = iota // every verb that plans steps
	Building
	Checking
	Running
	Testing
)

// Addition is what a kind adds to verbs of a use.
type Addition struct {
	// Or is what help says in place of a flavour's name, with a | before it.
	Or string
	// Help is the end of the help text, with an empty line before it.
	Help string
	// Flags declares options; it may be nil.
	Flags func(*pflag.FlagSet)
}

// Topic is what help says of a kind, in one place for all verbs.
type Topic struct {
	// Name is what help is asked for, and Details what it says before it comes to
	// the verbs. Title is a title for the options that the kind adds.
	Name, Title, Details string
}

// Verb is a verb that a kind adds to a command line.
type Verb struct {
	Name string
	// Args, Summary and Details are for help, Complete is the words that can follow.
	// Example is a command line.
	Args, Summary, Details, Example string
	Complete                        []string
	// Hidden verbs are in no list.
	Hidden bool
	// Verbatim verbs take the place of another program: all that follows is for that one,
	// and each line of an error says which program it is from.
	Verbatim bool
	// Flags declares options; it may be nil.
	Flags func(*pflag.FlagSet)
	Run   func(context.Context, Call) error
}

// Call is a verb being carried out.
type Call struct {
	Args     []string
	In       io.Reader
	Out, Err io.Writer
	// Dir is the configuration tree, and Bounded is as in [Means]. A verbatim verb
	// is given neither.
	Dir     string
	Bounded func(do func() error) error
}
