package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

var completionVerb = &verb{
	name: "completion", args: "bash|zsh", summary: "print a completion script for the shell",
	example: "source <(./build completion bash)\nsource <(./build completion zsh)",
	details: `The script belongs into ~/.bashrc or ~/.zshrc. It completes ./build of each
clone, and treewright.`,
	complete: "bash zsh",
}

func init() { completionVerb.run = runCompletion }

// The scripts ask the program itself, so that they never go stale.
const bashCompletion = `_treewright() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _treewright ./build treewright
`

const zshCompletion = `#compdef treewright
_treewright() {
  local -a words_of
  words_of=(${(f)"$("${words[1]}" completion words -- "${words[@]:1:$((CURRENT-2))}" 2>/dev/null)"})
  compadd -a words_of
}
compdef _treewright ./build treewright
`

func runCompletion(_ context.Context, c *command) error {
	if len(c.args) == 0 || len(c.args) > 1 && c.args[0] != "words" {
		return usagef("completion takes bash or zsh")
	}
	switch c.args[0] {
	case "bash":
		_, err := fmt.Fprint(c.Out, bashCompletion)
		return err
	case "zsh":
		_, err := fmt.Fprint(c.Out, zshCompletion)
		return err
	case "words":
		_, err := fmt.Fprintln(c.Out, strings.Join(c.words(c.args[1:]), "\n"))
		return err
	}
	return usagef("completion takes %s", oneOf(c.args[0], strings.Fields(c.verb.complete)))
}

// words returns what can follow the given words of a command line.
func (c *command) words(before []string) []string {
	v := buildVerb
	var out []string
	if i := firstWord(before); i >= 0 {
		if named := findVerb(before[i]); named != nil {
			v = named
		}
	} else {
		for _, v := range verbs {
			if !v.hidden {
				out = append(out, v.name)
			}
		}
	}
	for _, w := range strings.Fields(v.complete) {
		switch w {
		case "flavours":
			out = append(out, c.builder.FlavourNames()...)
		case "verbs":
			for _, v := range verbs {
				if !v.hidden {
					out = append(out, v.name)
				}
			}
		default:
			out = append(out, w)
		}
	}
	var o options
	newFlags(v, &o).VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			out = append(out, "--"+f.Name)
		}
	})
	return out
}
