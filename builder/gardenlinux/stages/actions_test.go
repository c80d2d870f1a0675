package stages

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

func TestAptSourcesAction(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	step := &plan.Step{ID: "x", Params: aptSourcesAction.Step(aptSourcesParams{Mirror: "http://example.org/debian", Suite: "today"}, plan.Step{}).Params}
	for _, tc := range []struct {
		sources map[string]string
		keyring string
	}{
		{nil, "/usr/share/keyrings/debian-archive-keyring.gpg"},
		{map[string]string{"keyring": key}, "/etc/apt/trusted.gpg.d/keyring.asc"},
	} {
		tree := t.TempDir()
		if err := aptSourcesAction.Do(context.Background(), &task.Task{Distro: debian.Family{}, Step: step, Tree: tree, Sources: tc.sources, Log: io.Discard}); err != nil {
			t.Fatal(err)
		}
		want := "Types: deb\nURIs: http://example.org/debian\nSuites: today\nComponents: main\nEnabled: yes\nSigned-By: " + tc.keyring + "\n"
		if got := treetest.Content(t, filepath.Join(tree, "etc/apt/sources.list.d/gardenlinux.sources")); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		if own := treefs.Exists(filepath.Join(tree, "etc/apt/trusted.gpg.d/keyring.asc")); own != (tc.sources != nil) {
			t.Errorf("the tree has a keyring of its own: %v", own)
		}
	}
}
