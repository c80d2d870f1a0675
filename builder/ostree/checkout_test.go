package ostree

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/treetest"
)

// oddCommit makes a repository with a commit of rare files.
func oddCommit(t *testing.T) (real realRepo, sum string, c *format.OSTreeCommit) {
	t.Helper()
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root, to give files their owners")
	}
	real = makeReal(t)
	tree := t.TempDir()
	odd(t, tree)
	sum = real.commit(tree)
	c, err := At(real.dir).Commit(sum)
	if err != nil {
		t.Fatal(err)
	}
	return real, sum, c
}

// TestCheckoutIsWhatOSTreeChecksOut: libostree and this program make the same tree of a commit.
func TestCheckoutIsWhatOSTreeChecksOut(t *testing.T) {
	real, sum, c := oddCommit(t)
	ours, theirs := t.TempDir(), filepath.Join(t.TempDir(), "theirs")
	runOSTree(t, "--repo="+real.dir, "checkout", "--force-copy", sum, theirs)
	if err := At(real.dir).Checkout(t.Context(), c.Tree, ours); err != nil {
		t.Fatal(err)
	}
	// With --force-copy libostree leaves the times as they are.
	times := regexp.MustCompile(` [0-9]+\.[0-9]+ `)
	listing := func(dir string) []string {
		lines := treetest.Listing(t, dir)
		for i, l := range lines {
			lines[i] = times.ReplaceAllString(l, " ")
		}
		return lines
	}
	want, got := listing(theirs), listing(ours)
	for _, l := range treetest.Listing(t, ours) {
		if !strings.Contains(l, " 0.0 ") {
			t.Errorf("the time is not 0: %s", l)
		}
	}
	if !slices.Equal(want, got) {
		for i := range min(len(want), len(got)) {
			if want[i] != got[i] {
				t.Fatalf("got %s, ostree has %s", got[i], want[i])
			}
		}
		t.Fatalf("got %d entries, ostree has %d", len(got), len(want))
	}
}

// A checkout of a damaged repository fails, and names the object.
func TestCheckoutOfDamage(t *testing.T) {
	real := makeReal(t)
	c, err := At(real.dir).Commit(real.head)
	if err != nil {
		t.Fatal(err)
	}
	object := real.object(real.head, "usr/bin/program")
	flip(t, object)
	err = At(real.dir).Checkout(t.Context(), c.Tree, t.TempDir())
	if err == nil {
		t.Fatal("the damage was not noticed")
	}
	if err := os.Remove(object); err != nil {
		t.Fatal(err)
	}
	if err := At(real.dir).Checkout(t.Context(), c.Tree, t.TempDir()); err == nil {
		t.Fatal("a missing object was not noticed")
	}
	for _, name := range []string{"", "x", c.Tree[:64], c.Tree + "0"} {
		if err := At(real.dir).Checkout(t.Context(), name, t.TempDir()); err == nil {
			t.Errorf("%q is taken as the name of a tree", name)
		}
	}
}

// The repository of a machine gives the same tree, and its damage is noticed.
func TestCheckoutOfMachinesRepository(t *testing.T) {
	real, sum, c := oddCommit(t)
	bare := filepath.Join(t.TempDir(), "bare")
	runOSTree(t, "--repo="+bare, "init", "--mode=bare")
	runOSTree(t, "--repo="+bare, "pull-local", real.dir, sum)
	repo, err := OpenToRead(bare)
	if err != nil {
		t.Fatal(err)
	}
	ours, same := t.TempDir(), t.TempDir()
	if err := errors.Join(repo.Checkout(t.Context(), c.Tree, ours), At(real.dir).Checkout(t.Context(), c.Tree, same)); err != nil {
		t.Fatal(err)
	}
	if want, got := treetest.Listing(t, same), treetest.Listing(t, ours); !slices.Equal(want, got) {
		t.Fatalf("got %d entries, from the archive repository %d, and they differ", len(got), len(want))
	}
	text, err := TreeOf(repo, c).ReadFile("usr/bin/attr", 1<<20)
	if err != nil || string(text) != "has an attribute" {
		t.Errorf("got %q, %v", text, err)
	}
	e, err := TreeOf(repo, c).Lookup("usr/bin/attr")
	if err != nil {
		t.Fatal(err)
	}
	flip(t, filepath.Join(bare, object(e.Sum, "file")))
	if err := repo.Checkout(t.Context(), c.Tree, t.TempDir()); err == nil {
		t.Error("the damage was not noticed")
	}
	if _, err := TreeOf(repo, c).ReadFile("usr/bin/attr", 1<<20); err == nil {
		t.Error("the damage was not noticed in a file")
	}
}
