package stage

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treetest"
)

// TestPoolOutsideOfTheCommit: the packages that machines may add later are one step more, and change no other one, also not
// by the parameter that lists them.
func TestPoolOutsideOfTheCommit(t *testing.T) {
	project := loadProject(t, treetest.Shipped(t))
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-trixie-amd64-ostree" })
	planned := func(names ...string) *plan.Graph {
		f := *project.Flavours[i]
		if len(names) > 0 {
			f.Settings = append(slices.Clone(f.Settings), config.Setting{Feature: "ostreeRepo", Name: "pool", Value: names})
		}
		return planFlavour(t, treetest.Shipped(t), project, &f, func(r *planner.Request) {
			if wants := r.Spec.Pool(); len(wants) > 0 {
				r.Packages.Pool = plantest.Closure(r.Packages.System, r.Spec.Flavour.Distribution.Arch, namesOfWants(wants)...)
			}
		})
	}
	none, two, three := planned(), planned("jq", "tcpdump"), planned("jq", "tcpdump", "redis")
	if none.Step("packages/pool") != nil || two.Key("packages/pool") == three.Key("packages/pool") {
		t.Error("without packages there is a pool, or two of them are the same as three")
	}
	s := two.Step("packages/pool")
	if len(s.Artifacts) != 1 || s.Artifacts[0].Kind != plan.PoolArtifact || !strings.Contains(s.Title, "2 packages") || !slices.Contains(two.Targets(), s.ID) {
		t.Errorf("the step is %+v", s)
	}
	only := &plan.Graph{}
	if err := only.Add(*s); err != nil {
		t.Fatal(err)
	}
	const name = "testdata/pool.json"
	if *update {
		if err := os.WriteFile(name, goldenOf(t, only), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want := treetest.Content(t, name); string(goldenOf(t, only)) != want {
		t.Errorf("%s is out of date; if the change is meant, write it with `make golden`. The step is now\n%s", name, goldenOf(t, only))
	}
	if a, b := len(none.Steps()), len(two.Steps()); b != a+1 {
		t.Errorf("%d steps became %d", a, b)
	}
	for _, s := range none.Steps() {
		if key := none.Key(s.ID); key != two.Key(s.ID) || key != three.Key(s.ID) {
			t.Errorf("the key of %s depends on the pool", s.ID)
		}
	}
}
