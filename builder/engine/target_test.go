package engine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// targetStore has the results of a made-up target: a tree, tools, a tarball and
// what is made of it.
func targetStore(t *testing.T) (*layer.Store, *plan.Graph) {
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

// publishTarget publishes a target and nothing else into output.
func publishTarget(store *layer.Store, g *plan.Graph, output string, names TargetNames) error {
	f := &Finished{Store: store, Graph: g, Outcome: &Outcome{}, Manifest: &Manifest{}, Target: &names}
	return f.Publish(context.Background(), TargetOutput(output, "kvm"))
}

func TestPublishTarget(t *testing.T) {
	store, g := targetStore(t)
	output := t.TempDir()
	names := TargetNames{Base: "kvm-amd64-1-0123", Link: "kvm", Listed: []string{"tar", "x"}}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(output, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// A second time, and over what an earlier build left, it is the same.
	for range 2 {
		if err := publishTarget(store, g, output, names); err != nil {
			t.Fatal(err)
		}
		if got := read("kvm-amd64-1-0123.x"); got != "content of x" {
			t.Errorf("the artifact holds %q", got)
		}
		want := "kvm-amd64-1-0123.tar\nkvm-amd64-1-0123.tar.log\nkvm-amd64-1-0123.x\nkvm-amd64-1-0123.x.log\n"
		if got := read("kvm"); got != want {
			t.Errorf("the link leads to %q", got)
		}
		log := read("kvm-amd64-1-0123.x.log")
		for _, id := range []string{"rootfs/tree", "artifacts/tar", "artifacts/x"} {
			if strings.Count(log, "said by "+id+"\n") != 1 {
				t.Errorf("the log does not have what %s said, once:\n%s", id, log)
			}
		}
		if strings.Contains(log, "tools") {
			t.Errorf("the log has what the tools said:\n%s", log)
		}
	}
	entries, err := os.ReadDir(output)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 7 { // with .private
		t.Errorf("in the output there are %v", entries)
	}
}

func TestPublishTargetKeepsWhatIsThere(t *testing.T) {
	store, g := targetStore(t)
	output := t.TempDir()
	if err := os.Mkdir(filepath.Join(output, "kvm"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := publishTarget(store, g, output, TargetNames{Base: "kvm-amd64-1-0123", Link: "kvm", Listed: []string{"tar"}})
	if err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(output); len(entries) != 2 {
		t.Errorf("half a target was published: %v", entries)
	}
}
