package stage

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treetest"
)

// TestDeltasOutsideOfTheCommit: another number of static deltas changes no other step.
func TestDeltasOutsideOfTheCommit(t *testing.T) {
	project := loadProject(t, treetest.Shipped(t))
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-trixie-amd64-ostree" })
	with := func(count int64) *plan.Graph {
		return planFlavour(t, treetest.Shipped(t), project, project.Flavours[i], func(r *planner.Request) {
			r.Spec.Parameters["ostreeRepo"]["deltas"] = compose.Value{Any: count}
			r.Packages = fakePackages(r.Spec)
		})
	}
	none, two, three := with(0), with(2), with(3)
	if none.Step("commit/deltas") != nil || two.Step("commit/deltas") == nil || two.Key("commit/deltas") == three.Key("commit/deltas") {
		t.Error("deltas = 0 makes some, or two are the same as three")
	}
	for _, s := range none.Steps() {
		if key := none.Key(s.ID); key != two.Key(s.ID) || key != three.Key(s.ID) {
			t.Errorf("the key of %s depends on the number of static deltas", s.ID)
		}
	}
}
