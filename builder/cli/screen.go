package cli

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/event"
)

// diagnostics writes diagnostics to standard error.
func (c *command) diagnostics(p *config.Project, diags hcl.Diagnostics) {
	width, colour := 0, event.Colours(c.Err.File)
	if term.IsTerminal(int(c.Err.Fd())) {
		if w, _, err := term.GetSize(int(c.Err.Fd())); err == nil {
			width = w
		}
	}
	if err := config.WriteDiagnostics(c.Err, p, diags, width, colour); err != nil {
		fmt.Fprintln(c.Err, diags.Error())
	}
}

// say tells on standard error what is out of the ordinary.
func (c *command) say(line string) { fmt.Fprintf(c.Err, "treewright: %s\n", line) }
