package ostree

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

func TestPublishMends(t *testing.T) {
	made := makeReal(t)
	dest := filepath.Join(t.TempDir(), "published")
	publish := func() error { return Publish(context.Background(), made.dir, dest, dest+".objects", nil) }
	treetest.Write(t, filepath.Join(made.dir, "objects/00/stray.filez"), "a stray object")
	treetest.Write(t, filepath.Join(made.dir, "tmp/leftover"), "x")
	if err := publish(); err != nil {
		t.Fatal(err)
	}
	published := made
	published.dir, published.record = dest, dest+".objects"
	if _, read := published.check(); read != 0 {
		t.Errorf("%d objects that were just published are read again", read)
	}
	if treefs.Exists(filepath.Join(dest, "objects/00/stray.filez")) || treefs.Exists(filepath.Join(dest, "tmp/leftover")) {
		t.Error("what no ref leads to was published")
	}
	runOSTree(t, "--repo="+dest, "fsck", "--quiet")
	// Most of it is the very same file, but not what leads to others.
	if same, _ := sameInode(made.object(made.head, "usr/bin/program"), published.object(made.head, "usr/bin/program")); !same {
		t.Error("a file's object is not a hard link")
	}
	if same, _ := sameInode(made.object(made.head, ""), published.object(made.head, "")); same {
		t.Error("the commit is a hard link: what damages one damages both")
	}
	for _, path := range []string{"", "usr/bin/program"} {
		object := published.object(made.head, path)
		if err := os.Remove(object); err != nil {
			t.Fatal(err)
		}
		treetest.Write(t, object, "rubbish")
		if err := publish(); err != nil {
			t.Fatal(err)
		}
		if c, read := published.check(); read != 0 || len(c.Bad) != 0 {
			t.Errorf("%q is not mended: %d read, bad %v", path, read, c.Bad)
		}
	}
	// Where both are damaged nothing is published, and what can be done is said.
	flip(t, published.object(made.head, "usr/share/doc/readme"))
	err := publish()
	if err == nil || !strings.Contains(err.Error(), "is damaged") || !strings.Contains(err.Error(), made.head[:12]) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("error %v", err)
	}
	if published.head != runOSTree(t, "--repo="+dest, "rev-parse", testRef) {
		t.Error("the ref changed")
	}
}

func sameInode(a, b string) (bool, error) {
	var one, two unix.Stat_t
	if err := unix.Lstat(a, &one); err != nil {
		return false, err
	}
	if err := unix.Lstat(b, &two); err != nil {
		return false, err
	}
	return one.Ino == two.Ino, nil
}

// TestDetachedMetadata: what belongs to a commit without being part of it comes
// along, and what was added where it is published stays.
func TestDetachedMetadata(t *testing.T) {
	made := makeReal(t)
	sign := func(repo, key string) {
		t.Helper()
		// The file that ostree writes for signatures: a dictionary, here with one entry.
		value := strings.Repeat("\x00", (8-(len(key)+1)%8)%8) + "signed\x00\x00s"
		entry := key + "\x00" + value
		entry += string(offsets(len(entry), len(key)+1))
		treetest.Write(t, filepath.Join(repo, object(made.head, detached)), entry+string(offsets(len(entry), len(entry))))
	}
	signature := func(repo string) string { return treetest.Content(t, filepath.Join(repo, object(made.head, detached))) }
	dest := filepath.Join(t.TempDir(), "published")
	publish := func() {
		t.Helper()
		if err := Publish(context.Background(), made.dir, dest, dest+".objects", nil); err != nil {
			t.Fatal(err)
		}
	}
	publish() // A signature comes later.
	sign(made.dir, "mine")
	if err := (Repository{dir: made.dir}).checkObject(made.head + "." + detached); err != nil {
		t.Fatal(err)
	}
	publish()
	if signature(dest) != signature(made.dir) {
		t.Fatal("it was not published")
	}
	out := filepath.Join(t.TempDir(), "out")
	runOSTree(t, "--repo="+out, "init", "--mode=archive")
	if lost, err := (Repository{dir: dest}).copyObjects(Repository{dir: out}, map[string]string{testRef: made.head}, nil); err != nil || len(lost) > 0 || signature(out) != signature(made.dir) {
		t.Errorf("it is not taken over: lost %v, error %v", lost, err)
	}
	sign(dest, "yours")
	want := signature(dest)
	publish()
	if signature(dest) != want {
		t.Error("a signature that was added where it is published was replaced")
	}
	treetest.Write(t, filepath.Join(dest, object(made.head, detached)), want[:len(want)-3])
	publish()
	if signature(dest) != signature(made.dir) {
		t.Error("damaged metadata was not replaced")
	}
}

// TestDiscard: what was staged and is not published is taken back.
func TestDiscard(t *testing.T) {
	made := makeReal(t)
	dest := filepath.Join(t.TempDir(), "published")
	list := func() []string {
		t.Helper()
		var names []string
		err := filepath.WalkDir(filepath.Dir(dest), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	stage := func() *Staged {
		t.Helper()
		s, err := Stage(t.Context(), Made{Repo: made.dir}, dest, dest+".objects", nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := stage().Discard(); err != nil || len(list()) > 0 {
		t.Errorf("of a first publication stay %v, error %v", list(), err)
	}
	if err := stage().Publish(); err != nil {
		t.Fatal(err)
	}
	before := list()
	if s := stage(); !s.Unchanged() {
		t.Errorf("%+v is to be published although nothing changed", s.files)
	}
	tree := t.TempDir()
	treetest.Write(t, filepath.Join(tree, "usr/new"), "new\n")
	third := made.commit(tree, "--parent="+made.head)
	runOSTree(t, "--repo="+made.dir, "summary", "--update")
	s := stage()
	if s.Unchanged() || runOSTree(t, "--repo="+dest, "rev-parse", testRef) != made.head {
		t.Error("a staged commit is seen, or is not to be published")
	}
	if err := s.Discard(); err != nil || !slices.Equal(list(), before) {
		t.Errorf("it is not as it was, error %v:\n%v\n%v", err, list(), before)
	}
	if err := stage().Publish(); err != nil || runOSTree(t, "--repo="+dest, "rev-parse", testRef) != third {
		t.Errorf("not published, error %v", err)
	}
	runOSTree(t, "--repo="+dest, "fsck", "--quiet")
}
