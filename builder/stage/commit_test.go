package stage

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/treetest"
)

// TestCommitNames: a history's names follow from the parameters of the feature
// with the commit stage.
func TestCommitNames(t *testing.T) {
	project := loadProject(t, treetest.Shipped(t))
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-testing-amd64-ostree" })
	spec, diags := compose.Resolve(project, project.Flavours[i])
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	values := spec.Parameters[spec.StageFeature("commit").Name]
	for name, v := range map[string]any{"os_name": "mine", "ref": "mine/testing", "archive_url": "https://example.org/x/", "first_commit": true} {
		if _, ok := values[name]; !ok {
			t.Fatalf("the commit feature has no parameter %s", name)
		}
		values[name] = compose.Value{Any: v}
	}
	got, ok := commit.Names(spec)
	want := ostree.Names{OSName: "mine", Ref: "mine/testing", Repo: "mine-repo-amd64", Archive: "ostree-mine-repo-amd64.tar.gz", ArchiveURL: "https://example.org/x", FirstCommit: true}
	if !ok || got != want {
		t.Errorf("%+v, %v; want %+v", got, ok, want)
	}
}
