package cli

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
)

var completionVerb = &verb{
	name: "completion", args: "bash|zsh", summary: "print a completion script for the shell",
	example: "source <(./build completion bash)\nsource <(./build completion zsh)",
	details: `The script belongs in ~/.bashrc or ~/.zshrc. It completes ./build of each
clone, and treewright.`,
	complete: "bash zsh",
}

func init() { completionVerb.run = runCompletion }

// The scripts ask the program itself, so that they never go stale: `completion next --
// WORDS...` prints what the last of the words can be, which may be empty.
var (
	//go:embed completion.bash
	bashCompletion string
	//go:embed completion.zsh
	zshCompletion string
)

// nextWord is what the scripts call completion with.
const nextWord = "next"

func runCompletion(_ context.Context, c *command) error {
	shells := strings.Fields(c.verb.complete)
	if len(c.args) == 0 || len(c.args) > 1 && c.args[0] != nextWord {
		return usagef("completion takes %s", alternatives(shells))
	}
	text := ""
	switch c.args[0] {
	case "bash":
		text = bashCompletion
	case "zsh":
		text = zshCompletion
	case nextWord:
		text = c.next(c.args[1:]).String()
	default:
		return usagef("completion takes %s", oneOf(c.args[0], shells))
	}
	_, err := fmt.Fprint(c.Out, text)
	return err
}
