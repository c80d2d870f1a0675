package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/rules"
)

var helpVerb = &verb{
	name: "help", args: "[VERB]", summary: "explain a verb", complete: "topics",
	details: "`help options` explains the options that all verbs have.",
	example: "./build help plan",
}

func init() { helpVerb.run = runHelp }

// commonTopic is the name of the help topic for the options that every verb has.
const commonTopic = "options"

func runHelp(_ context.Context, c *command) error {
	if len(c.args) > 1 {
		return usagef("help explains one verb at a time, not %s", strings.Join(c.args, " and "))
	}
	text, err := c.helpOn(strings.Join(c.args, ""))
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.Out, text)
	return err
}

// helpOn returns the text on a verb or another topic, the overview on "".
func (c *command) helpOn(topic string) (string, error) {
	other := c.options.other.Topic()
	switch v := findVerb(topic); {
	case topic == "":
		return c.told(c.usage()), nil
	case topic == commonTopic:
		return c.told("Options that every verb has, before or after it:\n\n") + c.optionTexts(commonOptions()), nil
	case topic == other.Name:
		return c.told(c.otherHelp(other)), nil
	case v != nil:
		return c.verbHelp(v), nil
	}
	fault := fmt.Sprintf("there is no verb %q", topic)
	if s := meant(topic, append(verbNames(), commonTopic, other.Name)); s != "" {
		fault += fmt.Sprintf("; did you mean %q?", s)
	}
	return "", usagef("%s", fault)
}

// usage returns the overview. The verbs of the other kind of trees are listed in
// such a tree.
func (c *command) usage() string {
	var b strings.Builder
	b.WriteString("Treewright composes Debian OSTree systems from features.\n\n")
	b.WriteString("  ./build FLAVOUR...            build flavours\n  ./build VERB [ARGUMENT]...\n\nVerbs:\n")
	for _, v := range verbs {
		if !v.hidden && (!v.other || c.builder.OfOtherKind()) {
			fmt.Fprintf(&b, "  %-11s %s\n", v.name, v.summary)
		}
	}
	b.WriteString("\n`./build help VERB` explains a verb and its options,\n`./build help options` the options that every verb has.\n")
	return b.String()
}

// verbHelp explains a verb: its own options first, and the options for names other than
// flavours' in trees without flavours.
func (c *command) verbHelp(v *verb) string {
	var b strings.Builder
	fmt.Fprintf(&b, "./build %s\n\n%s.\n", strings.TrimSpace(v.name+" "+v.args), strings.ToUpper(v.summary[:1])+v.summary[1:])
	if len(v.aliases) > 0 {
		fmt.Fprintf(&b, "Also called %s.\n", strings.Join(v.aliases, ", "))
	}
	if v.details != "" {
		b.WriteString("\n" + paragraphs(c.told(v.details)) + "\n")
	}
	others, topic := v.otherOptions(), c.options.other.Topic()
	matters := c.builder != nil && c.builder.OfOtherKind()
	if matters {
		for _, use := range v.uses {
			b.WriteString("\n" + paragraphs(c.told(additionOf(use).Help)) + "\n")
		}
	}
	if v.example != "" {
		fmt.Fprintf(&b, "\nExample:\n  %s\n", strings.ReplaceAll(v.example, "\n", "\n  "))
	}
	text := c.told(b.String())
	if own := v.ownOptions(); len(own) > 0 {
		text += "\nOptions:\n" + c.optionTexts(own)
	}
	if matters && len(others) > 0 {
		text += "\n" + topic.Title + ":\n" + c.optionTexts(others)
	}
	text += c.told("\nOptions that every verb has: ./build help options\n")
	if !matters && (len(others) > 0 || len(v.uses) > 0) {
		text += c.told(fmt.Sprintf("%s: ./build help %s\n", topic.Title, topic.Name))
	}
	return text
}

// otherHelp explains the additions of the other kind of trees to verbs.
func (c *command) otherHelp(topic rules.Topic) string {
	var b strings.Builder
	b.WriteString(paragraphs(topic.Details) + "\n")
	var seen []string
	for _, v := range verbs {
		var own []*pflag.Flag
		for _, f := range v.otherOptions() {
			if !slices.Contains(seen, f.Name+f.Usage) {
				seen, own = append(seen, f.Name+f.Usage), append(own, f)
			}
		}
		help := ""
		for _, use := range v.uses {
			help += additionOf(use).Help
		}
		if v.hidden || help == "" && len(own) == 0 && !v.other {
			continue
		}
		fmt.Fprintf(&b, "\n./build %s\n", strings.TrimSpace(v.name+" "+v.args))
		if v.other {
			fmt.Fprintf(&b, "\n%s.\n", strings.ToUpper(v.summary[:1])+v.summary[1:])
		}
		if help != "" {
			b.WriteString("\n" + paragraphs(help) + "\n")
		}
		if len(own) > 0 {
			b.WriteString("\n" + c.optionTexts(own))
		}
	}
	return b.String()
}

// commonOptions returns the options that every verb has.
func commonOptions() []*pflag.Flag { return shownOptions(newFlags(&verb{}, &options{})) }

// ownOptions returns the options of a verb without the common ones, and without the options of other kinds of trees.
func (v *verb) ownOptions() []*pflag.Flag {
	return slices.DeleteFunc(v.beside(), func(f *pflag.Flag) bool { return f.Annotations[ofOtherKind] != nil })
}

// otherOptions returns the options that kinds of trees add to a verb of this program.
func (v *verb) otherOptions() []*pflag.Flag {
	return slices.DeleteFunc(v.beside(), func(f *pflag.Flag) bool { return f.Annotations[ofOtherKind] == nil })
}

// beside returns a verb's options without the common ones.
func (v *verb) beside() []*pflag.Flag {
	common := commonOptions()
	return slices.DeleteFunc(shownOptions(newFlags(v, &options{})), func(f *pflag.Flag) bool {
		return slices.ContainsFunc(common, func(other *pflag.Flag) bool { return other.Name == f.Name })
	})
}

// shownOptions are the options that help shows, in the order of their declaration.
func shownOptions(flags *pflag.FlagSet) []*pflag.Flag {
	var all []*pflag.Flag
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			all = append(all, f)
		}
	})
	return all
}

// Columns of the list of options.
const (
	widestOption = 26 // wider options take a separate line
	helpWidth    = 79
)

// optionTexts lists options with their descriptions.
func (c *command) optionTexts(options []*pflag.Flag) string {
	width := 0
	heads := make([]string, len(options))
	for i, f := range options {
		heads[i] = "      --" + f.Name
		if f.Shorthand != "" {
			heads[i] = "  -" + f.Shorthand + ", --" + f.Name
		}
		if p := placeholder(f); p != "" {
			heads[i] += " " + p
		}
		if len(heads[i]) <= widestOption {
			width = max(width, len(heads[i]))
		}
	}
	var b strings.Builder
	for i, f := range options {
		_, usage := pflag.UnquoteUsage(f)
		if !strings.Contains(usage, "(default") && !slices.Contains([]string{"", "0", "false", "[]"}, f.DefValue) {
			usage += fmt.Sprintf(" (default: %s)", f.DefValue)
		}
		lines := wrap(c.told(usage), helpWidth-width-2)
		if len(heads[i]) > width {
			b.WriteString(heads[i] + "\n" + strings.Repeat(" ", width))
		} else {
			b.WriteString(padded(heads[i], width))
		}
		b.WriteString("  " + strings.Join(lines, "\n"+strings.Repeat(" ", width+2)) + "\n")
	}
	return b.String()
}

// paragraphs breaks the lines of a text's paragraphs, between which lines are empty.
func paragraphs(text string) string {
	all := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range all {
		all[i] = strings.Join(wrap(p, helpWidth), "\n")
	}
	return strings.Join(all, "\n\n")
}

// wrap breaks a text at blanks into lines of at most width, if its words allow that.
func wrap(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len([]rune(*last))+1+len([]rune(word)) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
