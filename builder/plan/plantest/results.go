package plantest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Results has the results of a made-up cname: a tree, tools, a tarball and
// what is made of it.
func Results(t testing.TB) (*layer.Store, *plan.Graph) {
	t.Helper()
	store, err := layer.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	g := &plan.Graph{}
	artifact := func(ext string) []plan.Artifact {
		return []plan.Artifact{{Name: ext, Path: ext, Kind: plan.FileArtifact}}
	}
	for _, s := range []plan.Step{
		{ID: "rootfs/tree", Stage: "rootfs", Action: "a", Output: plan.Layer},
		{ID: "packages/tools", Stage: "packages", Action: "b", Output: plan.Dir},
		{ID: "tools/install", Stage: "tools", Action: "c", Base: "rootfs/tree", Inputs: map[string]string{"repo": "packages/tools"}, Output: plan.Layer},
		{ID: "artifacts/tar", Stage: "artifacts", Action: "d", Base: "rootfs/tree", Tools: "tools/install", Output: plan.Dir, Artifacts: artifact("tar")},
		{ID: "artifacts/x", Stage: "artifacts", Action: "e", Inputs: map[string]string{"input": "artifacts/tar"}, Tools: "tools/install", Output: plan.Dir, Artifacts: artifact("x")},
	} {
		if err := g.Add(s); err != nil {
			t.Fatal(err)
		}
		draft, err := store.Begin(g.Key(s.ID))
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range s.Artifacts {
			if err := os.WriteFile(filepath.Join(draft.Data, a.Path), []byte("content of "+a.Name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(draft.Log, []byte("said by "+s.ID+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := draft.Commit(layer.Result{Step: s.ID}); err != nil {
			t.Fatal(err)
		}
	}
	return store, g
}

// Graph returns a graph of steps. If a step does not have an output, its output is a layer.
func Graph(t testing.TB, steps ...plan.Step) *plan.Graph {
	t.Helper()
	g := &plan.Graph{}
	for _, s := range steps {
		if s.Output == "" {
			s.Output = plan.Layer
		}
		if err := g.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	return g
}
