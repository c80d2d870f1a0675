package build_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// TestPoolIsPublished: the pool is published beside the commit. A build that changes the pool alone does not make a new commit, and completes
// the pool of the current commit. A new commit has its own pool.
func TestPoolIsPublished(t *testing.T) {
	tree := small(t)
	info := treetest.Content(t, filepath.Join(tree, "features/repo/info.yaml"))
	flavour := treetest.Content(t, filepath.Join(tree, "flavours/small.hcl"))
	run := func(pool, packages string) (*build.Made, *recorder) {
		t.Helper()
		treetest.WriteAll(t, tree, map[string]string{
			"features/repo/info.yaml":   info + "  pool: {type: list, default: [" + pool + "]}\n",
			"features/base/pkg.include": packages, "flavours/small.hcl": flavour,
		})
		b, sink := open(t, tree), &recorder{}
		project, _, err := b.Load()
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Resolve(t.Context(), project, "small")
		if err != nil {
			t.Fatal(err)
		}
		made, err := b.Publish(t.Context(), s, sink)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(made.Close)
		return made, sink
	}
	poolOf := func(m *build.Made, commit string) []string {
		packages, err := debian.Family{}.Pooled(commit, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(m.Output.Pool(commit), name)) })
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range packages {
			names = append(names, p.Name)
			if text := treetest.Content(t, filepath.Join(m.Output.Pools(), debian.Family{}.PooledFile(p))); text != p.Name {
				t.Errorf("the file of %s is %q", p.Name, text)
			}
		}
		return names
	}
	first, _ := run("", "bash\n")
	if _, err := os.Stat(first.Output.Pools()); err == nil {
		t.Error("there is a pool without packages")
	}
	second, sink := run("jq, vim", "bash\n")
	if second.Manifest.Commit != first.Manifest.Commit || second.Manifest.Commit == "" || len(second.Manifest.Pool) != 2 {
		t.Errorf("commit %s became %s, with %v", first.Manifest.Commit, second.Manifest.Commit, second.Manifest.Pool)
	}
	if got := poolOf(second, second.Manifest.Commit); !slices.Equal(got, []string{"jq", "vim"}) {
		t.Errorf("the pool has %v", got)
	}
	if said := sink.of(event.Note); !slices.ContainsFunc(said, func(e event.Event) bool { return strings.Contains(e.Line, "has 2 packages (2.0 kB)") }) {
		t.Errorf("said: %v", said)
	}
	third, _ := run("jq", "bash\nnano\n")
	if third.Manifest.Commit == first.Manifest.Commit || !slices.Equal(poolOf(third, third.Manifest.Commit), []string{"jq"}) || !slices.Equal(poolOf(third, first.Manifest.Commit), []string{"jq", "vim"}) {
		t.Errorf("after the commit %s the pools have %v and %v", third.Manifest.Commit, poolOf(third, third.Manifest.Commit), poolOf(third, first.Manifest.Commit))
	}
}
