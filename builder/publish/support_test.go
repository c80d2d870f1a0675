package publish

import (
	"testing"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

func openStore(t *testing.T) *layer.Store {
	t.Helper()
	s, err := layer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func graphOf(t *testing.T, steps ...plan.Step) *plan.Graph {
	t.Helper()
	g := &plan.Graph{}
	for _, s := range steps {
		if err := g.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	return g
}
