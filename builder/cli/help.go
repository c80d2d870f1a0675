package cli

import (
	"context"
	"fmt"
	"strings"
)

var helpVerb = &verb{name: "help", args: "[VERB]", summary: "explain a verb", complete: "verbs"}

func init() { helpVerb.run = runHelp }

func runHelp(_ context.Context, c *command) error {
	if len(c.args) == 0 {
		_, err := fmt.Fprint(c.Out, c.told(usage()))
		return err
	}
	v := findVerb(c.args[0])
	if v == nil {
		return usagef("there is no verb %q", c.args[0])
	}
	_, err := fmt.Fprint(c.Out, c.told(v.help()))
	return err
}

// usage is the overview.
func usage() string {
	var b strings.Builder
	b.WriteString("Treewright composes Debian OSTree systems from features.\n\n")
	b.WriteString("  ./build FLAVOUR...        build flavours\n  ./build VERB [ARGUMENT]...\n\nVerbs:\n")
	for _, v := range verbs {
		if !v.hidden {
			fmt.Fprintf(&b, "  %-34s %s\n", strings.TrimSpace(v.name+" "+v.args), v.summary)
		}
	}
	b.WriteString("\n`./build help VERB` explains a verb and its options.\n")
	return b.String()
}

func (v *verb) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "./build %s\n\n%s.\n", strings.TrimSpace(v.name+" "+v.args), strings.ToUpper(v.summary[:1])+v.summary[1:])
	if v.details != "" {
		fmt.Fprintf(&b, "\n%s\n", v.details)
	}
	var o options
	fmt.Fprintf(&b, "\nOptions:\n%s", newFlags(v, &o).FlagUsagesWrapped(100))
	return b.String()
}
