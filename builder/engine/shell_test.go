package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
)

// TestRootShellPassesItsStatus: with what a person leaves the shell is the exit status,
// and is not an error of the step's.
func TestRootShellPassesItsStatus(t *testing.T) {
	needRoot(t)
	store, err := layer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	shell, err := os.ReadFile(filepath.Join(helperDir(t), "exec.config"))
	if err != nil {
		t.Fatal(err)
	}
	for do, want := range map[string]int{"fail": 3, "look": 0} {
		g, err := scriptGraph(helperDir(t), do, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, made, err := store.Get(g.Key("base")); err != nil {
			t.Fatal(err)
		} else if !made {
			draft, err := store.Begin(g.Key("base"))
			if err != nil {
				t.Fatal(err)
			}
			err = errors.Join(os.Mkdir(filepath.Join(draft.Data, "bin"), 0o755), os.WriteFile(filepath.Join(draft.Data, "bin/bash"), shell, 0o755), draft.Commit(layer.Result{Step: "base", Epoch: epoch}))
			if err != nil {
				t.Fatal(err)
			}
		}
		err = Shell(t.Context(), store, g, scriptID, nil)
		var ended *diag.Ended
		if errors.As(err, &ended); (err == nil) != (want == 0) || err != nil && (ended == nil || ended.Status != want) {
			t.Errorf("a shell that does %q ended with %v, want %d", do, err, want)
		}
	}
	expectNoMounts(t, rootOf(store))
}
