package ostree

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// fakeCommit writes a commit object as ostree does: a GVariant of type
// (a{sv}aya(say)sstayay).
func fakeCommit(t testing.TB, parent, subject, body string, stamp int64, metadata [][2]string, contents, meta []byte) []byte {
	t.Helper()
	var entries bytes.Buffer
	var ends []int
	pad := func(b *bytes.Buffer) {
		for b.Len()%8 != 0 {
			b.WriteByte(0)
		}
	}
	for _, kv := range metadata {
		pad(&entries)
		var e bytes.Buffer
		e.WriteString(kv[0] + "\x00")
		key := e.Len()
		pad(&e)
		e.WriteString(kv[1] + "\x00\x00s")
		e.Write(offsets(e.Len(), key))
		entries.Write(e.Bytes())
		ends = append(ends, entries.Len())
	}
	entries.Write(offsets(entries.Len(), ends...))

	var b bytes.Buffer
	b.Write(entries.Bytes())
	marks := []int{b.Len()}
	raw, err := hex.DecodeString(parent)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(raw)
	marks = append(marks, b.Len(), b.Len()) // parent; no related objects
	b.WriteString(subject + "\x00")
	marks = append(marks, b.Len())
	b.WriteString(body + "\x00")
	marks = append(marks, b.Len())
	pad(&b)
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(stamp)))
	b.Write(contents)
	marks = append(marks, b.Len())
	b.Write(meta)
	for i, j := 0, len(marks)-1; i < j; i, j = i+1, j-1 {
		marks[i], marks[j] = marks[j], marks[i]
	}
	b.Write(offsets(b.Len(), marks...))
	return b.Bytes()
}

// offsets are the framing offsets at the end of a container whose content has
// n bytes.
func offsets(n int, at ...int) []byte {
	size := 1
	for ; size < 8 && n+size*len(at) > 1<<(8*size)-1; size *= 2 {
	}
	var out []byte
	for _, a := range at {
		out = append(out, binary.LittleEndian.AppendUint64(nil, uint64(a))[:size]...)
	}
	return out
}

// TestFakeCommit: the tests' commits are like ostree's own.
func TestFakeCommit(t *testing.T) {
	want, err := os.ReadFile("../format/testdata/ostree/second.commit")
	if err != nil {
		t.Fatal(err)
	}
	c, err := format.ParseOSTreeCommit(want)
	if err != nil {
		t.Fatal(err)
	}
	contents, meta, _ := strings.Cut(c.Tree, ".")
	a, _ := hex.DecodeString(contents)
	b, _ := hex.DecodeString(meta)
	got := fakeCommit(t, c.Parent, c.Subject, "a body", c.Timestamp, [][2]string{{"version", "2"}, {"treewright.recipe", "xyz"}}, a, b)
	if !bytes.Equal(got, want) {
		t.Errorf("a commit of ours is\n%q, ostree's\n%q", got, want)
	}
}

// fakeRepo is an archive repository with made-up commits.
type fakeRepo struct {
	t   testing.TB
	dir string
}

const testRef = "debian/testing/amd64"

func makeRepo(t testing.TB, dir string) fakeRepo {
	t.Helper()
	for _, sub := range []string{"objects", "refs/heads", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"config": "[core]\nrepo_version=1\nmode=archive-z2\n", "summary": "summary"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return fakeRepo{t, dir}
}

// commit adds a commit to a ref and returns its checksum.
func (r fakeRepo) commit(ref, parent, subject, recipe string) string {
	r.t.Helper()
	tree := sha256.Sum256([]byte(subject))
	// A directory without entries.
	const nothing = "\x00"
	contents := sha256.Sum256([]byte(nothing))
	r.write(object(hex.EncodeToString(contents[:]), "dirtree"), nothing)
	b := fakeCommit(r.t, parent, subject, "", 1700000000, [][2]string{{"version", "1"}, {RecipeKey, recipe}}, contents[:], tree[:])
	sum := sha256.Sum256(b)
	hexsum := hex.EncodeToString(sum[:])
	r.write(object(hexsum, "commit"), string(b))
	r.write(object(hex.EncodeToString(tree[:]), "dirmeta"), subject)
	r.write("refs/heads/"+ref, hexsum+"\n")
	return hexsum
}

func (r fakeRepo) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// takeAll brings over all that another repository's refs lead to.
func (r fakeRepo) takeAll(from fakeRepo) {
	r.t.Helper()
	refs, err := Repository{dir: from.dir}.Refs()
	if err != nil {
		r.t.Fatal(err)
	}
	if lost, err := (Repository{dir: from.dir}).copyObjects(Repository{dir: r.dir}, refs, nil); err != nil || len(lost) > 0 {
		r.t.Fatalf("lost %v, error %v", lost, err)
	}
}

// publishTo is PublishRepository with a record beside dest.
func (r fakeRepo) publishTo(dest string) error {
	return Publish(context.Background(), r.dir, dest, dest+".objects", nil)
}

func (r fakeRepo) head(ref string) string {
	r.t.Helper()
	head, err := Repository{dir: r.dir}.Head(ref)
	if err != nil {
		r.t.Fatal(err)
	}
	return head
}

func TestOpenRepository(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("a directory that is not there: error %v", err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "is not an OSTree repository") {
		t.Errorf("an empty directory: error %v", err)
	}
	r := makeRepo(t, dir)
	if _, err := Open(dir); err != nil {
		t.Error(err)
	}
	r.write("config", "[core]\nmode=bare\n")
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "of mode bare, not archive") {
		t.Errorf("a bare one: error %v", err)
	}
	r.write("config", "[core]\n")
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "has no mode") {
		t.Errorf("without a mode: error %v", err)
	}
}

func TestRepositoryDescends(t *testing.T) {
	r := makeRepo(t, t.TempDir())
	one := r.commit(testRef, "", "one", "r1")
	two := r.commit(testRef, one, "two", "r2")
	three := r.commit(testRef, two, "three", "r3")
	other := r.commit("other", "", "other", "r4")
	repo := Repository{dir: r.dir}
	for _, tc := range []struct {
		sum, ancestor string
		want          bool
	}{{three, three, true}, {three, one, true}, {two, three, false}, {other, one, false}, {three, other, false}, {"", one, false}} {
		got, err := repo.descends(tc.sum, tc.ancestor)
		if err != nil || got != tc.want {
			t.Errorf("%.6s descends from %.6s: %v, error %v", tc.sum, tc.ancestor, got, err)
		}
	}
	// Pruned history ends; damaged history is an error.
	if err := os.Remove(filepath.Join(r.dir, object(one, "commit"))); err != nil {
		t.Fatal(err)
	}
	if got, err := repo.descends(three, other); err != nil || got {
		t.Errorf("pruned: %v, error %v", got, err)
	}
	r.write(object(two, "commit"), "rotten")
	if _, err := repo.descends(three, one); err == nil || !strings.Contains(err.Error(), "the object of commit "+two) {
		t.Errorf("damaged: error %v", err)
	}
}

func TestPublishRepository(t *testing.T) {
	dir := t.TempDir()
	dest := filepath.Join(dir, "published")
	made := makeRepo(t, filepath.Join(dir, "made"))
	one := made.commit(testRef, "", "one", "r1")
	if err := made.publishTo(dest); err != nil {
		t.Fatal(err)
	}
	published := fakeRepo{t, dest}
	if published.head(testRef) != one {
		t.Errorf("the ref is %s", published.head(testRef))
	}
	for _, name := range []string{"config", "summary", object(one, "commit"), "tmp", "state", "refs/remotes"} {
		if !treefs.Exists(filepath.Join(dest, name)) {
			t.Errorf("the published repository lacks %s", name)
		}
	}
	// A ref that somebody else keeps there stays, and so does the history.
	mine := published.commit("mine", "", "mine", "r9")
	made2 := makeRepo(t, filepath.Join(dir, "made2"))
	made2.takeAll(made)
	two := made2.commit(testRef, one, "two", "r2")
	made2.write("summary", "second summary")
	for range 2 { // publishing again changes nothing
		if err := made2.publishTo(dest); err != nil {
			t.Fatal(err)
		}
		if published.head(testRef) != two || published.head("mine") != mine {
			t.Errorf("refs are %s and %s", published.head(testRef), published.head("mine"))
		}
	}
	if ok, err := (Repository{dir: dest}).descends(two, one); !ok || err != nil {
		t.Errorf("the history is gone: %v, error %v", ok, err)
	}
	if got := treetest.Content(t, filepath.Join(dest, "summary")); got != "second summary" {
		t.Errorf("the summary says %q", got)
	}

	// What would lose the history is refused, and changes nothing.
	for name, parent := range map[string]string{"a first commit": "", "an older parent": one} {
		bad := makeRepo(t, filepath.Join(dir, name))
		bad.takeAll(made)
		sum := bad.commit(testRef, parent, "rival of "+name, "r5")
		err := bad.publishTo(dest)
		if err == nil || !strings.Contains(err.Error(), "history would be lost") || !strings.Contains(err.Error(), two) || !strings.Contains(err.Error(), sum) {
			t.Errorf("%s: error %v, want one that names both commits", name, err)
		}
		if published.head(testRef) != two || treefs.Exists(filepath.Join(dest, object(sum, "commit"))) {
			t.Errorf("%s: the repository changed", name)
		}
	}
	// Going back to the older commit loses the newer one just as well.
	if err := made.publishTo(dest); err == nil {
		t.Error("the newest commit was taken back")
	}
	published.write("refs/heads/"+testRef, "rubbish")
	if err := made2.publishTo(dest); err == nil || !strings.Contains(err.Error(), "ref "+testRef+" is damaged") {
		t.Errorf("a damaged ref: error %v", err)
	}
}

// TestFirstPublicationIsWhole: a build that is killed while it publishes for
// the first time leaves nothing that looks like a damaged history.
func TestFirstPublicationIsWhole(t *testing.T) {
	dir := t.TempDir()
	dest := filepath.Join(dir, "published")
	made := makeRepo(t, filepath.Join(dir, "made"))
	made.commit(testRef, "", "one", "r1")
	if err := os.Remove(filepath.Join(made.dir, "summary")); err != nil {
		t.Fatal(err)
	}
	if err := made.publishTo(dest); err == nil {
		t.Fatal("published without a summary")
	}
	if treefs.Exists(dest) {
		t.Error("half a repository is there")
	}
	made.write("summary", "s")
	if err := made.publishTo(dest); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 { // with the record
		t.Errorf("in the directory: %v, error %v", entries, err)
	}
}
