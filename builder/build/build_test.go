package build_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// small is a tree with a flavour that makes a repository.
func small(t *testing.T) (tree string) {
	t.Helper()
	tree = t.TempDir()
	if err := os.CopyFS(tree, os.DirFS("testdata/tree")); err != nil {
		t.Fatal(err)
	}
	return tree
}

// recorder is a sink that keeps what it is told.
type recorder struct{ events []event.Event }

func (r *recorder) Emit(e event.Event) { r.events = append(r.events, e) }
func (r *recorder) Close() error       { return nil }

func (r *recorder) of(kind event.Kind) (found []event.Event) {
	for _, e := range r.events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

func open(t *testing.T, tree string) *build.Builder {
	t.Helper()
	b, err := build.Open(build.Options{Tree: tree, Jobs: 1, Backend: buildtest.Backend()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBuild goes the whole road three times: all is made, nothing is, and what a
// change asks for, as the next commit.
func TestBuild(t *testing.T) {
	tree := small(t)
	run := func() (*build.Made, *recorder) {
		t.Helper()
		sink := &recorder{}
		made, err := open(t, tree).Build(t.Context(), build.Request{Name: "small", Sink: sink})
		if err != nil {
			t.Fatal(err)
		}
		return made, sink
	}
	first, sink := run()
	if len(first.Outcome.Ran) == 0 || first.Manifest.Commit == "" || first.Manifest.Parent != "" {
		t.Errorf("the first build ran %v and made the commit %q", first.Outcome.Ran, first.Manifest.Commit)
	}
	if finished, artifacts := sink.of(event.BuildFinished), sink.of(event.Made); len(finished) != 1 || len(artifacts) != 4 {
		t.Errorf("the sink received %v and %v", finished, artifacts)
	}
	for _, a := range first.Manifest.Artifacts {
		if _, err := os.Stat(filepath.Join(tree, ".build/small", a.Name)); err != nil {
			t.Error(err)
		}
	}
	second, _ := run()
	if len(second.Outcome.Ran) != 0 || second.Manifest.Commit != first.Manifest.Commit {
		t.Errorf("the second build ran %v; the commit is %s, was %s", second.Outcome.Ran, second.Manifest.Commit, first.Manifest.Commit)
	}
	treetest.WriteAll(t, tree, map[string]string{"features/base/pkg.include": "bash\nvim\n"})
	third, _ := run()
	if third.Manifest.Parent != first.Manifest.Commit || third.Outcome.Ran["rootfs/bootstrap"] {
		t.Errorf("the third build ran %v, and its commit follows %q, not %s", third.Outcome.Ran, third.Manifest.Parent, first.Manifest.Commit)
	}
}
