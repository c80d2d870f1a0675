package cli

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// following is what a word of a command line can be.
type following struct {
	// kind is "words", or what the shell knows itself: "directories" or "files".
	kind  string
	words []string
}

// String is what the completion scripts read: the kind, then the words, each on a line.
func (f following) String() string {
	return strings.Join(append([]string{f.kind}, f.words...), "\n") + "\n"
}

// only are the words that begin with what has been typed.
func only(words []string, typed string) following {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.HasPrefix(w, typed) })
	return following{"words", words}
}

// next describes what the last of the words of a command line can be. The words do not have
// the program's name.
func (c *command) next(words []string) following {
	if len(words) == 0 {
		words = []string{""}
	}
	before, typed := words[:len(words)-1], words[len(words)-1]
	if slices.Contains(before, "--") {
		return following{kind: "files"} // of a command of the user's
	}
	option := awaiting(before)
	if option != nil {
		before = before[:len(before)-1]
	}
	line := c.partial(before)
	given := ""
	if name, value, found := strings.Cut(typed, "="); found && option == nil && strings.HasPrefix(name, "--") {
		option, given, typed = allOptions().Lookup(name[2:]), name+"=", value
	}
	switch {
	case option != nil:
		if own := newFlags(line.verb, &options{}).Lookup(option.Name); own != nil {
			option = own // its values may be others than another verb's
		}
		return valuesOf(option, given, typed)
	case strings.HasPrefix(typed, "-"):
		return only(line.optionWords(), typed)
	}
	return line.arguments(typed)
}

// awaiting is the option whose value comes after these words; nil if there is none.
func awaiting(before []string) *pflag.Flag {
	if len(before) == 0 {
		return nil
	}
	var f *pflag.Flag
	switch last := before[len(before)-1]; {
	case strings.HasPrefix(last, "--"):
		f = allOptions().Lookup(last[2:])
	case strings.HasPrefix(last, "-") && len(last) > 1:
		f = allOptions().ShorthandLookup(last[len(last)-1:])
	}
	if f == nil || f.NoOptDefVal != "" {
		return nil
	}
	return f
}

// partial is the command of a line that has not been typed to its end, in the tree that
// it names, else in the one of this command.
func (c *command) partial(before []string) *command {
	line, err := parse(c.backend, append([]string{"-C", c.options.dir}, before...), Streams{})
	if err != nil || line.builder == nil {
		line.builder, line.options = c.builder, c.options
	}
	return line
}

// valuesOf are the values of an option. Each word begins with the text that is given
// before them.
func valuesOf(f *pflag.Flag, given, typed string) following {
	var words []string
	switch what := placeholder(f); {
	case what == "DIRECTORY":
		return following{kind: "directories"}
	case what == "FILE" || what == "NAME=FILE" && strings.Contains(typed, "="):
		return following{kind: "files"}
	case what == "":
		words = []string{"false", "true"}
	default:
		if c, ok := f.Value.(choice); ok {
			words = c.words
		}
	}
	matching := only(words, typed)
	for i := range matching.words {
		matching.words[i] = given + matching.words[i]
	}
	return matching
}

// optionWords are the options of the verb and those of all. Before a verb they can be
// those of any.
func (c *command) optionWords() []string {
	of, shown := []*verb{c.verb}, commonOptions()
	if !c.named && len(c.args) == 0 {
		of = slices.DeleteFunc(slices.Clone(verbs), func(v *verb) bool { return v.hidden })
	}
	for _, v := range of {
		shown = append(shown, v.ownOptions()...)
		if c.builder.OfOtherKind() {
			shown = append(shown, v.otherOptions()...)
		}
	}
	var words []string
	for _, f := range shown {
		words = append(words, "--"+f.Name)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// arguments are what the next argument of the verb can be. Without a verb it can be one.
func (c *command) arguments(typed string) following {
	list, more := strings.CutSuffix(c.verb.complete, "...")
	kinds, n := strings.Split(list, ", "), len(c.args)
	if n >= len(kinds) && more {
		n = len(kinds) - 1
	}
	if n >= len(kinds) || list == "" {
		return only(c.optionWords(), typed)
	}
	var words []string
	switch kinds[n] {
	case "directories":
		return following{kind: "directories"}
	case "flavours":
		words = c.builder.FlavourNames()
	case "steps":
		words = c.builder.StepNames(c.args[0])
	case "tests":
		words = c.testNames()
	case "compared":
		words = append(c.builder.FlavourNames(), c.builder.PublishedRefs()...)
	case "why":
		words = c.whyWords(typed)
	case "named":
		words = c.whyNames(c.args[1], typed)
	case "listed":
		words = append(c.builder.FlavourNames(), listKinds...)
	case "copies":
		features, flavours := c.builder.CopyNames()
		if words = features; c.args[0] != "feature" {
			words = flavours
		}
	case "wanted":
		words, _ = c.machine().Wanted() // none, if the list is damaged
	case "topics":
		words = append(verbNames(), commonTopic, c.options.other.Topic().Name)
	default:
		words = strings.Fields(kinds[n])
	}
	if !c.named && len(c.args) == 0 {
		words = append(verbNames(), words...)
	}
	return only(words, typed)
}
