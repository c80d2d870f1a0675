package worker

import (
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/remote"
)

// left has the outputs of an Action for its n-th step, counted from 0. lines has the output of the step.
type left struct {
	*remote.Done
	n     int
	lines []string
}

// name returns the path of one of the step's outputs.
func (l *left) name(of string) string { return output(l.n, of) }

// worker returns the words for the worker in messages.
func (l *left) worker() string {
	if l.Worker == "" {
		return "the worker"
	}
	return "the worker " + diag.Visible(l.Worker)
}
