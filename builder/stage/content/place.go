package content

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/task"
)

// hints say where the flavour writes something, by what it is: moving a line must not
// change a key.
type hints struct {
	Places map[string]hcl.Range `json:"places"`
}

// finder looks things up in a tree, for messages at the flavour's lines.
type finder struct {
	t      *task.Task
	places map[string]hcl.Range
}

func newFinder(t *task.Task) (*finder, error) {
	h, err := task.Hints[hints](t)
	return &finder{t, h.Places}, err
}

// fault is an error at the place of what. The format may have %w.
func (f *finder) fault(what, summary, format string, args ...any) error {
	return diag.Foundf(f.places[what], summary, format, args...)
}

// meant is [config.DidYouMean] of names in any order.
func meant(name string, known []string) string {
	slices.Sort(known)
	return config.DidYouMean(name, known)
}
