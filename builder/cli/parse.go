package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
)

// parse finds the verb and its options, which may be before and after it. A command
// line without a verb is one for build.
func parse(backend *build.Backend, args []string, s Streams) (*command, error) {
	c := &command{In: s.In, Out: streamOn(s.Out), Err: streamOn(s.Err), verb: buildVerb, backend: backend}
	rest := args
	first := firstWord(args)
	if first >= 0 {
		if v := findVerb(args[first]); v != nil {
			c.verb, c.named = v, true
			rest = append(append([]string{}, args[:first]...), args[first+1:]...)
			if v.verbatim {
				c.args = args[first+1:]
				return c, nil
			}
		}
	}
	before := args
	if first >= 0 {
		before = args[:first]
	}
	if slices.Contains(before, "--"+versionOption) {
		c.verb, c.named, rest = versionVerb, true, args
	}
	flags := newFlags(c.verb, &c.options)
	if err := flags.Parse(rest); err != nil {
		if !errors.Is(err, pflag.ErrHelp) {
			return c, c.optionFault(flags, err)
		}
		c.options.help = true
	}
	if err := c.emptyOption(flags); err != nil && !c.options.help {
		return c, err
	}
	c.args = flags.Args()
	switch {
	case c.options.help:
		c.args = nil
		if first >= 0 {
			c.args = []string{c.verb.name}
		}
		c.verb, c.named = helpVerb, true
	case c.options.version:
		if c.named && c.verb != versionVerb {
			c.args = append([]string{c.verb.name}, c.args...)
		}
		c.verb, c.named = versionVerb, true
	}
	if err := c.options.complete(); err != nil {
		return c, err
	}
	return c, c.open()
}

// emptyOption is the fault of an option with an empty value, as from a variable of a
// script that is not set: what was asked for is not known. Verbs of other kinds of trees
// have their own rules.
func (c *command) emptyOption(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if err == nil && !c.verb.other && f.Value.Type() == "string" && f.Value.String() == "" {
			err = usagef("--%s needs a value: %s", f.Name, placeholder(f))
		}
	})
	return err
}

// firstWord returns the index of the first argument that is neither an option of any
// verb nor the value of one, or -1. --version is one with a value only after the verb
// that has it.
func firstWord(args []string) int {
	known := allOptions()
	takesValue := func(f *pflag.Flag) bool { return f != nil && f.NoOptDefVal == "" && f.Name != versionOption }
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			if i+1 < len(args) {
				return i + 1
			}
			return -1
		case strings.HasPrefix(a, "--"):
			if name, _, hasValue := strings.Cut(a[2:], "="); !hasValue && takesValue(known.Lookup(name)) {
				i++
			}
		case strings.HasPrefix(a, "-") && len(a) > 1:
			for j := 1; j < len(a); j++ {
				if takesValue(known.ShorthandLookup(a[j : j+1])) {
					if j == len(a)-1 {
						i++
					}
					break
				}
			}
		default:
			return i
		}
	}
	return -1
}

// allOptions are the options of all verbs. One that several verbs have takes a value
// in all of them or in none; a test sees to that.
func allOptions() *pflag.FlagSet {
	all := pflag.NewFlagSet("all", pflag.ContinueOnError)
	for _, v := range verbs {
		if !v.verbatim {
			all.AddFlagSet(newFlags(v, &options{}))
		}
	}
	return all
}

// optionFault describes what is wrong with an option.
func (c *command) optionFault(flags *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var needs *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		return c.unknownOption(flags, unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames())
	case errors.As(err, &needs):
		return usagef("--%s needs a value: %s", needs.GetFlag().Name, placeholder(needs.GetFlag()))
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		if f.Value.Type() == "bool" {
			return usagef("--%s takes true or false, not %q", f.Name, invalid.GetValue())
		}
		return usagef("--%s %v", f.Name, errors.Unwrap(invalid))
	case errors.As(err, &syntax):
		return usagef("%s is not an option", syntax.GetSpecifiedFlag())
	}
	return diag.Requestf("%v", err)
}

// unknownOption is the fault of an option that the verb does not have. group are the
// letters, after one "-", that a one-letter option is among.
func (c *command) unknownOption(flags *pflag.FlagSet, name, group string) error {
	option, word, where := "--"+name, name, ""
	if group != "" {
		option, word = "-"+name, group
		if group != name {
			where = " (in -" + group + ")"
		}
	}
	has := fmt.Sprintf("%s has no option %s%s", c.verb.name, option, where)
	if !c.named {
		has = fmt.Sprintf("there is no option %s%s", option, where)
	}
	if len(word) > 1 {
		if where := notAnOption[word]; where != "" {
			return usagef("%s: %s", has, where)
		}
		if s := meant(word, append(optionNames(flags), versionOption)); s != "" {
			return usagef("%s; did you mean --%s?", has, s)
		}
		if s := meant(word, optionNames(allOptions())); s != "" {
			owners := ownersOf(s)
			if s == word {
				return usagef("%s has no option --%s; %s it", c.verb.name, s, have(owners))
			}
			return usagef("%s; did you mean --%s of %s?", has, s, alternatives(owners))
		}
	}
	if f := shorthand(name); group == name && f != nil {
		return usagef("%s; it is --%s, which %s", has, f.Name, have(ownersOf(f.Name)))
	}
	if strings.Contains(c.verb.args, "-- ") {
		has += "; options of a command come after --"
	}
	return usagef("%s", has)
}

// notAnOption lists what other programs have an option for, and where it is written here.
var notAnOption = map[string]string{
	"arch":         inDistribution,
	"architecture": inDistribution,
	"distribution": inDistribution,
	"feature":      "features are written in the flavour, or in a flavour that extends it",
	"features":     "features are written in the flavour, or in a flavour that extends it",
	"package":      "packages are written in the flavour, or in pkg.include of a feature",
	"packages":     "packages are written in the flavour, or in pkg.include of a feature",
	"param":        parameterInSet,
	"parameter":    parameterInSet,
	"release":      inDistribution,
	"set":          parameterInSet,
	"suite":        inDistribution,
}

const (
	inDistribution = "it is a field of distribution in the flavour, which can have a variable for it; --var gives that a value"
	parameterInSet = "parameters of features are set in the flavour, in set, which can have a variable for one; --var gives that a value"
)

// shorthand is the option of any verb with a letter, nil if none has it.
func shorthand(letter string) *pflag.Flag {
	if len(letter) != 1 {
		return nil
	}
	return allOptions().ShorthandLookup(letter)
}

// have describes which verbs have something.
func have(verbs []string) string {
	if len(verbs) == 1 {
		return verbs[0] + " has"
	}
	last := len(verbs) - 1
	return strings.Join(verbs[:last], ", ") + " and " + verbs[last] + " have"
}

// ownersOf are the verbs with an option.
func ownersOf(option string) []string {
	var names []string
	for _, v := range verbs {
		if !v.hidden && slices.Contains(optionNames(newFlags(v, &options{})), option) {
			names = append(names, v.name)
		}
	}
	return names
}

// meantVerb is the fault of a command line without a verb whose first word was not
// found: a verb may have been meant, if none of the flavours is nearer.
func (c *command) meantVerb(err error) error {
	var request *diag.Request
	if c.named || !errors.As(err, &request) {
		return err
	}
	word, flavours := c.args[0], c.builder.FlavourNames()
	if slices.Contains(flavours, word) {
		return err
	}
	s := meant(word, append(flavours, verbNames()...))
	if findVerb(s) == nil || slices.Contains(flavours, s) {
		return err
	}
	return usagef("there is neither a verb nor a flavour %q; did you mean `./build %s`?", word, s)
}
