package cli

import (
	"os"

	"golang.org/x/term"

	"github.com/treewright/treewright/builder/vm"
)

// kept is what becomes of a machine in which a test failed; nil without --keep. A person
// with a terminal gets a shell on it.
func (o *testOptions) kept(c *command) (keep *vm.Keep, done func(), err error) {
	if !o.keep {
		return nil, func() {}, nil
	}
	inbound, err := vm.NewInbound()
	if err != nil {
		return nil, nil, err
	}
	keep = &vm.Keep{Inbound: inbound, Say: c.say}
	in := int(os.Stdin.Fd())
	if term.IsTerminal(in) && term.IsTerminal(int(os.Stdout.Fd())) {
		keep.Shell = &vm.RootShell{Terminal: os.Getenv("TERM")}
		if columns, rows, err := term.GetSize(in); err == nil {
			keep.Shell.Columns, keep.Shell.Rows = columns, rows
		}
	}
	return keep, func() { inbound.Close() }, nil
}
