package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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

// words returns what can follow the given words of a command line: nothing that it
// knows behind an option that takes a value.
func (c *command) words(before []string) []string {
	v := buildVerb
	var out []string
	before = joined(before)
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
	var o options
	flags := newFlags(v, &o)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	// The only fault that is left to find: a value is missing.
	if flags.Parse(before) != nil {
		return nil
	}
	if flags.Changed("directory") && c.lookIn(o.dir) != nil {
		return nil
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
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			out = append(out, "--"+f.Name)
		}
	})
	return out
}

// lookIn takes another configuration tree, as the shell has its name: not expanded.
func (c *command) lookIn(dir string) error {
	if below, ok := strings.CutPrefix(dir, "~/"); ok {
		dir = filepath.Join(os.Getenv("HOME"), below)
	}
	c.options.dir, c.options.cache, c.options.output = dir, "", ""
	if err := c.options.complete(); err != nil {
		return err
	}
	return c.open()
}

// joined puts together what bash takes for three words: --OPTION=VALUE.
func joined(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		if words[i] == "=" && len(out) > 0 && strings.HasPrefix(out[len(out)-1], "--") {
			out[len(out)-1] += "="
			if i++; i < len(words) {
				out[len(out)-1] += words[i]
			}
			continue
		}
		out = append(out, words[i])
	}
	return out
}
