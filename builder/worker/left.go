package worker

import (
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/remote"
)

// left is what an Action has left for the n-th of its steps. lines are what that wrote.
type left struct {
	*remote.Done
	n     int
	lines []string
}

// name is the name of one of the step's outputs.
func (l *left) name(of string) string { return output(l.n, of) }

// worker is how messages call the machine that carried an Action out.
func (l *left) worker() string {
	if l.Worker == "" {
		return "the worker"
	}
	return "the worker " + diag.Visible(l.Worker)
}
