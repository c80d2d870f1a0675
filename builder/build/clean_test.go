package build

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/treetest"
)

// TestCleanStaysInTheOutput: what is not a name removes nothing, least of all the
// output of every flavour or what is beside it.
func TestCleanStaysInTheOutput(t *testing.T) {
	dir := t.TempDir()
	b, err := Open(Options{Tree: treetest.Lay(t, filepath.Join(dir, "tree"), "flavours/", "features/"), Output: filepath.Join(dir, "output")})
	if err != nil {
		t.Fatal(err)
	}
	kept := []string{filepath.Join(dir, "beside/file"), filepath.Join(dir, "output/other/file")}
	for _, path := range kept {
		treetest.Write(t, path, "")
	}
	yes := func(string, int) (bool, error) { return true, nil }
	for _, name := range []string{"", ".", "..", "../beside", "/", "other/..", "other/"} {
		if done, err := b.Clean(context.Background(), Clean{Name: name, History: yes}); err == nil {
			t.Errorf("clean of %q does something: %+v", name, done)
		}
	}
	for _, path := range kept {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// TestCleanWaitsUntilItsContextEnds: also without Say.
func TestCleanWaitsUntilItsContextEnds(t *testing.T) {
	dir := t.TempDir()
	b, err := Open(Options{Tree: treetest.Lay(t, filepath.Join(dir, "tree"), "flavours/", "features/"), Output: filepath.Join(dir, "output")})
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := Claim(context.Background(), publish.OutputOf(b.options.Output, "small"), "small", func(event.Kind, string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	if _, err := b.Clean(ctx, Clean{Name: "small"}); err == nil || ctx.Err() == nil {
		t.Errorf("error %v while another build is running", err)
	}
}
