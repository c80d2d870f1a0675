package stage

import (
	"cmp"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

// TestArtifactsAreThoseOfThePlan: what is said of a flavour without a plan is what its
// steps hand out.
func TestArtifactsAreThoseOfThePlan(t *testing.T) {
	dir := treetest.Shipped(t)
	project, diags := config.Load(os.DirFS(dir), config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	found := 0
	for _, f := range project.Flavours {
		spec, diags := compose.Resolve(project, f)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got, err := Artifacts(spec)
		if err != nil {
			t.Fatal(err)
		}
		var want []plan.Artifact
		for _, s := range planFlavour(t, dir, project, f, nil).Steps() {
			want = append(want, s.Artifacts...)
		}
		byName := func(a, b plan.Artifact) int { return cmp.Compare(a.Name, b.Name) }
		slices.SortFunc(got, byName)
		slices.SortFunc(want, byName)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: artifacts are\n%v, the plan's are\n%v", f.Name, got, want)
		}
		found += len(got)
	}
	if found < 5 {
		t.Errorf("only %d artifacts were looked at", found)
	}
}
