package stage

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treetest"
)

// TestWithoutTarball: a flavour that turns the tarball of its repository off has no such step and no such
// artifact, and the same commit.
func TestWithoutTarball(t *testing.T) {
	project := loadProject(t, treetest.Shipped(t))
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-trixie-amd64-ostree" })
	var specs []*compose.Spec
	with := func(archive bool) *plan.Graph {
		return planFlavour(t, treetest.Shipped(t), project, project.Flavours[i], func(r *planner.Request) {
			r.Spec.Parameters["ostreeRepo"]["archive"] = compose.Value{Any: archive}
			r.Packages = fakePackages(r.Spec)
			specs = append(specs, r.Spec)
		})
	}
	has, lacks := with(true), with(false)
	if has.Step("commit/archive") == nil || lacks.Step("commit/archive") != nil {
		t.Error("archive = true plans no tarball, or archive = false one")
	}
	if has.Key("commit/commit") != lacks.Key("commit/commit") {
		t.Error("the commit depends on whether there is a tarball")
	}
	named := func(spec *compose.Spec) bool {
		all, err := Artifacts(spec)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(all, func(a plan.Artifact) bool { return strings.HasSuffix(a.Name, "-repo-amd64.tar.gz") })
	}
	if !named(specs[0]) || named(specs[1]) {
		t.Error("the tarball is not among the artifacts, or is one that is not made")
	}
}
