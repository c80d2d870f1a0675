package ostree

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

// makeDeltas makes what a build makes of static deltas from a commit to the repository's newest one.
func (r realRepo) makeDeltas(from string) string {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "copy")
	if out, err := exec.Command("cp", "-a", r.dir, dir).CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	runOSTree(r.t, "--repo="+dir, "static-delta", "generate", "--from="+from, "--to="+r.head, "--set-endianness=l")
	if err := At(dir).SetDeltaTimes(1_700_000_000); err != nil {
		r.t.Fatal(err)
	}
	runOSTree(r.t, "--repo="+dir, "static-delta", "reindex")
	runOSTree(r.t, "--repo="+dir, "summary", "--update")
	deltas := r.t.TempDir()
	for _, name := range DeltaParts {
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(deltas, name)); err != nil {
			r.t.Fatal(err)
		}
	}
	return deltas
}

// publishDeltas publishes as a build does, and reports whether there was something to do.
func (r realRepo) publishDeltas(dest, deltas string) bool {
	r.t.Helper()
	s, err := Stage(r.t.Context(), Made{Repo: r.dir, Deltas: deltas}, dest, dest+".objects", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	did := !s.Unchanged()
	if err := s.Publish(); err != nil {
		r.t.Fatal(err)
	}
	return did
}

func TestDeltasArePublished(t *testing.T) {
	r := largeRepo(t)
	deltas := r.makeDeltas(r.first)
	dest := filepath.Join(t.TempDir(), "published")
	if err := Publish(t.Context(), r.dir, dest, dest+".objects", nil); err != nil {
		t.Fatal(err)
	}
	if !r.publishDeltas(dest, deltas) || r.publishDeltas(dest, deltas) {
		t.Error("static deltas are not published, or again without a change")
	}
	name := r.first + "-" + r.head
	if list := runOSTree(t, "--repo="+dest, "static-delta", "list"); strings.TrimSpace(list) != name {
		t.Errorf("the published repository has the static deltas %q", list)
	}
	if summary := runOSTree(t, "--repo="+dest, "summary", "--view"); !strings.Contains(summary, name) {
		t.Errorf("the summary does not list them:\n%s", summary)
	}
	between, err := At(dest).Between(r.first, r.head)
	if err != nil || between.Delta == nil {
		t.Fatalf("no static delta is found, error %v", err)
	}
	published := r
	published.dir = dest
	if got := published.upgrade().below("/deltas/"); got != between.Delta.Bytes() {
		t.Errorf("a pull takes %d bytes of static deltas, not %d", got, between.Delta.Bytes())
	}

	part := filepath.Join(dest, between.Delta.Files[1].Path)
	flip(t, part)
	if !r.publishDeltas(dest, deltas) {
		t.Error("a damaged part is not repaired")
	}
	published.upgrade()

	// The next commit has deltas of its own.
	tree := t.TempDir()
	treetest.Write(t, filepath.Join(tree, "usr/lib/other"), "text")
	next := r
	next.first, next.head = r.head, r.commit(tree, "--parent="+r.head)
	runOSTree(t, "--repo="+r.dir, "summary", "--update")
	later := next.makeDeltas(next.first)
	s, err := Stage(t.Context(), Made{Repo: r.dir, Deltas: later}, dest, dest+".objects", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Discard(); err != nil {
		t.Fatal(err)
	}
	published.upgrade() // nothing of it is seen
	next.publishDeltas(dest, later)
	if list := runOSTree(t, "--repo="+dest, "static-delta", "list"); strings.TrimSpace(list) != next.first+"-"+next.head {
		t.Errorf("after the next commit there are the static deltas %q", list)
	}
	if old, err := os.ReadDir(filepath.Join(dest, filepath.Dir(filepath.Dir(between.Delta.Files[0].Path)))); err == nil && len(old) == 0 {
		t.Error("directories of a delta that was removed are left")
	}
	published.first, published.head = next.first, next.head
	published.upgrade()
}

// TestDeltasAreSigned: a machine that checks signatures takes the delta, and a build that changes nothing
// publishes nothing.
func TestDeltasAreSigned(t *testing.T) {
	signer, public := newSigner(t, "One")
	r := largeRepo(t)
	deltas := r.makeDeltas(r.first)
	dest := filepath.Join(t.TempDir(), "published")
	publish := func(made Made) *Staged {
		t.Helper()
		s, err := Stage(t.Context(), made, dest, dest+".objects", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sign(t.Context(), signer); err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, whole := range []bool{true, false} {
		if err := os.RemoveAll(dest); err != nil {
			t.Fatal(err)
		}
		if !whole {
			if err := publish(Made{Repo: r.dir}).Publish(); err != nil {
				t.Fatal(err)
			}
		}
		if err := publish(Made{Repo: r.dir, Deltas: deltas}).Publish(); err != nil {
			t.Fatal(err)
		}
		if s := publish(Made{Repo: r.dir, Deltas: deltas}); !s.Unchanged() {
			t.Errorf("whole %v: without a change there are %v to publish", whole, s.files)
		}
		if left, err := os.ReadDir(filepath.Join(dest, "tmp")); err != nil || len(left) > 0 {
			t.Errorf("left: %v, error %v", left, err)
		}
		c := &counted{files: http.FileServer(http.Dir(dest)), sent: map[string]int64{}}
		server := httptest.NewServer(c)
		machine := "--repo=" + filepath.Join(t.TempDir(), "machine")
		runOSTree(t, machine, "init", "--mode=bare-user")
		runOSTree(t, machine, "remote", "add", "--gpg-import="+public, "--set=gpg-verify-summary=true", "main", server.URL)
		runOSTree(t, machine, "pull", "main", testRef+"@"+r.first)
		c.sent = map[string]int64{}
		runOSTree(t, machine, "pull", "main", testRef)
		if c.below("/deltas/") == 0 {
			t.Errorf("whole %v: the machine takes no delta", whole)
		}
		server.Close()
	}
}

// TestDeltasAreTheSameAtAnyTime: the time at which a delta is made is not in it.
func TestDeltasAreTheSameAtAnyTime(t *testing.T) {
	r := largeRepo(t)
	content := func(dir string) (all []string) {
		files, err := At(dir).deltaFiles()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			all = append(all, name+" "+treetest.Content(t, filepath.Join(dir, name)))
		}
		return all
	}
	a := content(r.makeDeltas(r.first))
	time.Sleep(1100 * time.Millisecond) // the time is in seconds
	if b := content(r.makeDeltas(r.first)); !slices.Equal(a, b) || len(a) < 3 {
		t.Errorf("made again, %d files are not the %d of before", len(b), len(a))
	}
}

func TestBeforeEndsWhereTheHistoryDoes(t *testing.T) {
	r := largeRepo(t)
	for count, want := range map[int][]string{0: nil, 1: {r.first}, 5: {r.first}} {
		if got, err := At(r.dir).Before(r.head, count); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d before the newest: %v, error %v", count, got, err)
		}
	}
	treetest.Write(t, filepath.Join(r.dir, partialMark(r.first)), "")
	if got, err := At(r.dir).Before(r.head, 1); err != nil || len(got) > 0 {
		t.Errorf("a commit that is not whole: %v, error %v", got, err)
	}
	if err := os.Remove(filepath.Join(r.dir, ObjectPath(r.first+".commit"))); err != nil {
		t.Fatal(err)
	}
	if got, err := At(r.dir).Before(r.head, 1); err != nil || len(got) > 0 {
		t.Errorf("a commit that is missing: %v, error %v", got, err)
	}
}
