package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/sandbox"
)

// diagnostics writes diagnostics to standard error.
func (c *command) diagnostics(p *config.Project, diags hcl.Diagnostics) {
	width, colour := 0, term.IsTerminal(int(c.Err.Fd())) && !c.options.noColour
	if colour {
		if w, _, err := term.GetSize(int(c.Err.Fd())); err == nil {
			width = w
		}
	}
	if err := config.WriteDiagnostics(c.Err, p, diags, width, colour); err != nil {
		fmt.Fprintln(c.Err, diags.Error())
	}
}

// calledAs is the variable by which the script `build` says that it was called.
const calledAs = "TREEWRIGHT_CALLED_AS"

// told is a text for people, in which ./build stands for how this program is called.
func (c *command) told(text string) string {
	if os.Getenv(calledAs) != "" {
		return text
	}
	return strings.ReplaceAll(text, "./build", "treewright")
}

// elsewhere is the option, with a blank behind it, that leads to this tree if it is
// not the one that is used without an option.
func (c *command) elsewhere() string {
	usual := treeAround(".")
	if program, err := os.Executable(); err == nil && os.Getenv(calledAs) != "" {
		usual = filepath.Join(filepath.Dir(program), "../..")
	}
	if usual == c.options.dir {
		return ""
	}
	return "-C " + sandbox.Quote(c.options.dir) + " "
}

// say tells on standard error what is out of the ordinary.
func (c *command) say(line string) { fmt.Fprintf(c.Err, "treewright: %s\n", line) }
