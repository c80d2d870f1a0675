package stage

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/plan"
)

// TestWithoutTarball: a flavour that turns the tarball of its repository off is without the step and the
// artifact, and has the same commit.
func TestWithoutTarball(t *testing.T) {
	with := withParameters(t)
	has, spec := with(nil)
	lacks, without := with(map[string]any{"archive": false})
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
	if !named(spec) || named(without) {
		t.Error("the tarball is not among the artifacts, or is one that is not made")
	}
}
