package ostree

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treefs"
	"golang.org/x/sys/unix"
)

// realRepo is an archive repository that ostree itself made: of two commits, the
// second of which has a file that differs.
type realRepo struct {
	t           testing.TB
	dir, record string
	first, head string
}

// runOSTree runs the program of this machine and returns what it says.
func runOSTree(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("ostree", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ostree %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func makeReal(t testing.TB) realRepo {
	t.Helper()
	if _, err := exec.LookPath("ostree"); err != nil {
		t.Skip("needs the program ostree")
	}
	tree := t.TempDir()
	for name, text := range map[string]string{
		"usr/bin/program": strings.Repeat("program ", 1000), "usr/share/doc/readme": "read me\n", "usr/etc/built-at": "one\n",
		"usr/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "usr/etc/group": "root:x:0:\n",
	} {
		write(t, filepath.Join(tree, name), text)
	}
	if err := os.Symlink("program", filepath.Join(tree, "usr/bin/link")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "repo")
	r := realRepo{t: t, dir: dir, record: dir + ".objects"}
	runOSTree(t, "--repo="+dir, "init", "--mode=archive")
	r.first = r.commit(tree)
	write(t, filepath.Join(tree, "usr/etc/built-at"), "two\n")
	r.head = r.commit(tree, "--parent="+r.first)
	runOSTree(t, "--repo="+dir, "summary", "--update")
	return r
}

func (r realRepo) commit(tree string, args ...string) string {
	r.t.Helper()
	return runOSTree(r.t, append([]string{"--repo=" + r.dir, "commit", "--branch=" + testRef, "--tree=dir=" + tree, "--no-bindings",
		"--owner-uid=0", "--owner-gid=0", "--subject=s", "--timestamp=@1700000000", "--add-metadata-string=version=1"}, args...)...)
}

// check looks at the repository and says how many objects it read.
func (r realRepo) check(spares ...string) (c *Checked, read int) {
	r.t.Helper()
	c, err := Check(context.Background(), r.dir, r.record, spares, func(n int) { read += n })
	if err != nil {
		r.t.Fatal(err)
	}
	return c, read
}

// copy makes a second one with files of its own.
func (r realRepo) copy() realRepo {
	r.t.Helper()
	other := r
	other.dir = filepath.Join(r.t.TempDir(), "repo")
	other.record = other.dir + ".objects"
	if err := os.CopyFS(other.dir, os.DirFS(r.dir)); err != nil {
		r.t.Fatal(err)
	}
	return other
}

// object is the path of the object of a file, or the commit's own.
func (r realRepo) object(commit, path string) string {
	r.t.Helper()
	name := commit + ".commit"
	if path != "" {
		sum, err := Repository{r.dir}.lookup(commit, path)
		if err != nil {
			r.t.Fatal(err)
		}
		name = sum + ".filez"
	}
	return filepath.Join(r.dir, objectPath(name))
}

// flip changes a byte in the middle of a file, in place, and sets its times back.
func flip(t testing.TB, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x20
	if _, err := f.WriteAt(b, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
}

func TestCheckRepository(t *testing.T) {
	r := makeReal(t)
	c, read := r.check()
	all := read
	if len(c.Bad) != 0 || all < 12 {
		t.Fatalf("%d objects read, bad: %v", all, c.Bad)
	}
	if c, read = r.check(); read != 0 || len(c.Bad) != 0 {
		t.Errorf("nothing was touched: %d read, bad %v", read, c.Bad)
	}
	// A link that comes or goes is no change, though the inode's time tells of it.
	if err := os.Link(r.object(r.head, "usr/bin/program"), r.dir+".link"); err != nil {
		t.Fatal(err)
	}
	if _, read = r.check(); read != 0 {
		t.Errorf("a link makes %d objects be read", read)
	}
	os.Remove(r.dir + ".link")
	// One that is only touched is read, and no other.
	if err := os.Chmod(r.object(r.head, "usr/bin/program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, read = r.check(); read != 0 {
		t.Logf("%d objects read after a link went and a mode changed", read)
	}
	if err := os.Chmod(r.object(r.head, "usr/bin/program"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, read = r.check(); read != 1 || len(c.Bad) != 0 {
		t.Errorf("one was touched: %d read, bad %v", read, c.Bad)
	}
	// A record that is damaged, or of other refs, says nothing.
	raw, err := os.ReadFile(r.record)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(raw) {
		if n%7 != 0 && n > 200 {
			continue
		}
		bad := bytes.Clone(raw)
		bad[n] ^= 1
		write(t, r.record+".bad", string(bad))
		if got := readRecord(r.record + ".bad"); len(got.objects) != 0 {
			t.Fatalf("a record with byte %d changed counts", n)
		}
		write(t, r.record+".bad", string(raw[:n]))
		if got := readRecord(r.record + ".bad"); len(got.objects) != 0 {
			t.Fatalf("the first %d bytes of a record count", n)
		}
	}
	if err := os.WriteFile(r.record, raw[:len(raw)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, read = r.check(); read != all {
		t.Errorf("without a record %d objects are read, not %d", read, all)
	}
}

// TestDamagedObjects: whatever happens to an object is noticed, and mended from
// a repository that has it whole.
func TestDamagedObjects(t *testing.T) {
	whole := makeReal(t)
	objects, err := filepath.Glob(filepath.Join(whole.dir, "objects/*/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []struct {
		name string
		do   func(t testing.TB, path string)
	}{
		{"flipped", flip},
		{"empty", func(t testing.TB, path string) { write(t, path, "") }},
		{"cut off", func(t testing.TB, path string) {
			info, _ := os.Stat(path)
			if err := os.Truncate(path, info.Size()-1); err != nil {
				t.Fatal(err)
			}
		}},
		{"gone", func(t testing.TB, path string) { os.Remove(path) }},
		{"a link", func(t testing.TB, path string) { os.Remove(path); os.Symlink("/etc/passwd", path) }},
	} {
		for _, path := range objects {
			name := strings.Join(strings.Split(path, "/")[strings.Count(path, "/")-1:], "/")
			if damage.name == "gone" && strings.Contains(name, whole.first[2:]) {
				continue // history may be cut off there
			}
			r := whole.copy()
			r.check()
			damage.do(t, filepath.Join(r.dir, "objects", name))
			c, _ := r.check()
			if len(c.Bad) != 1 || "objects/"+name != objectPath(c.Bad[0].Object) || c.Bad[0].Reason == "" {
				t.Errorf("%s %s: bad are %+v", damage.name, name, c.Bad)
				continue
			}
			if c.Bad[0].Commit != whole.head && c.Bad[0].Commit != whole.first {
				t.Errorf("%s %s: said to be of commit %q", damage.name, name, c.Bad[0].Commit)
			}
			// It stays so until it is mended.
			if c, _ = r.check(); len(c.Bad) != 1 {
				t.Errorf("%s %s: forgotten: %+v", damage.name, name, c.Bad)
			}
			if c, _ = r.check(filepath.Join(t.TempDir(), "none"), whole.dir); len(c.Bad) != 0 || len(c.Mended) != 1 {
				t.Errorf("%s %s: not mended: bad %+v, mended %+v", damage.name, name, c.Bad, c.Mended)
			}
			if c, read := r.check(); read != 0 || len(c.Bad) != 0 {
				t.Errorf("%s %s: after it was mended %d read, bad %+v", damage.name, name, read, c.Bad)
			}
		}
	}
}

// TestCutOffHistory: a history whose older commits were taken away by ostree is
// no damaged one, and stays as short elsewhere.
func TestCutOffHistory(t *testing.T) {
	r := makeReal(t)
	r.check()
	runOSTree(t, "--repo="+r.dir, "prune", "--refs-only", "--depth=0")
	if treefs.Exists(r.object(r.first, "")) {
		t.Fatal("the first commit was not pruned")
	}
	if c, _ := r.check(); len(c.Bad) != 0 {
		t.Errorf("bad: %+v", c.Bad)
	}
	dest := filepath.Join(t.TempDir(), "published")
	if err := Publish(t.Context(), r.dir, dest, dest+".objects"); err != nil {
		t.Fatal(err)
	}
	runOSTree(t, "--repo="+dest, "fsck", "--quiet")

	// A commit without its tree.
	partial := filepath.Join(t.TempDir(), "partial")
	whole := makeReal(t)
	runOSTree(t, "--repo="+partial, "init", "--mode=archive")
	runOSTree(t, "--repo="+partial, "pull-local", whole.dir, testRef)
	runOSTree(t, "--repo="+partial, "remote", "add", "--no-gpg-verify", "origin", "file://"+whole.dir)
	runOSTree(t, "--repo="+partial, "pull", "--mirror", "--commit-metadata-only", "--depth=-1", "origin", testRef)
	runOSTree(t, "--repo="+partial, "summary", "--update")
	p := realRepo{t: t, dir: partial, record: partial + ".objects", head: whole.head}
	if !treefs.Exists(filepath.Join(partial, partialMark(whole.first))) {
		t.Fatal("the first commit is not partial")
	}
	if c, _ := p.check(); len(c.Bad) != 0 {
		t.Errorf("bad: %+v", c.Bad)
	}
	dest = filepath.Join(t.TempDir(), "published")
	if err := Publish(t.Context(), partial, dest, dest+".objects"); err != nil {
		t.Fatal(err)
	}
	if !treefs.Exists(filepath.Join(dest, partialMark(whole.first))) {
		t.Error("that a commit is partial is not published")
	}
}

func TestPublishMends(t *testing.T) {
	made := makeReal(t)
	dest := filepath.Join(t.TempDir(), "published")
	publish := func() error { return Publish(context.Background(), made.dir, dest, dest+".objects") }
	write(t, filepath.Join(made.dir, "objects/00/stray.filez"), "a stray object")
	write(t, filepath.Join(made.dir, "tmp/leftover"), "x")
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
		write(t, object, "rubbish")
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
		write(t, filepath.Join(repo, object(made.head, detached)), entry+string(offsets(len(entry), len(entry))))
	}
	signature := func(repo string) string { return contentOf(t, filepath.Join(repo, object(made.head, detached))) }
	sign(made.dir, "mine")
	if err := (Repository{made.dir}).checkObject(made.head + "." + detached); err != nil {
		t.Fatal(err)
	}
	dest := filepath.Join(t.TempDir(), "published")
	publish := func() {
		t.Helper()
		if err := Publish(context.Background(), made.dir, dest, dest+".objects"); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	if signature(dest) != signature(made.dir) {
		t.Fatal("it was not published")
	}
	out := filepath.Join(t.TempDir(), "out")
	runOSTree(t, "--repo="+out, "init", "--mode=archive")
	if lost, err := (Repository{dest}).copyObjects(Repository{out}, map[string]string{testRef: made.head}, nil); err != nil || len(lost) > 0 || signature(out) != signature(made.dir) {
		t.Errorf("it is not taken over: lost %v, error %v", lost, err)
	}
	sign(dest, "yours")
	want := signature(dest)
	publish()
	if signature(dest) != want {
		t.Error("a signature that was added where it is published was replaced")
	}
	write(t, filepath.Join(dest, object(made.head, detached)), want[:len(want)-3])
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
		s, err := Stage(t.Context(), made.dir, dest, dest+".objects", nil)
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
	write(t, filepath.Join(tree, "usr/new"), "new\n")
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

// TestTakeOverOfDamagedHistory: what is damaged in the history, and what only that leads
// to, is left out when it is taken over, and completeness is what is asked for
// in the end.
func TestTakeOverOfDamagedHistory(t *testing.T) {
	r := makeReal(t)
	usr, err := Repository{r.dir}.dirtreeAt(r.head, "usr")
	if err != nil {
		t.Fatal(err)
	}
	bad := usr + ".dirtree"
	take := func() (Repository, []Damage) {
		t.Helper()
		out := Repository{filepath.Join(t.TempDir(), "out")}
		runOSTree(t, "--repo="+out.dir, "init", "--mode=archive")
		lost, err := Repository{r.dir}.copyObjects(out, map[string]string{testRef: r.head}, map[string]bool{bad: true})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(out.dir, "refs/heads", testRef), r.head+"\n")
		return out, lost
	}
	flip(t, filepath.Join(r.dir, objectPath(bad)))
	out, lost := take()
	if len(lost) != 1 || lost[0].Object != bad || lost[0].Commit != r.head {
		t.Fatalf("lost: %+v", lost)
	}
	if err := out.Complete("/the/history", lost); err == nil || !strings.Contains(err.Error(), "/the/history is damaged") || !strings.Contains(err.Error(), objectPath(bad)) {
		t.Errorf("error %v", err)
	}
	whole := makeReal(t)
	for _, name := range (Repository{whole.dir}).reach(map[string]string{testRef: whole.head}, nil).objects {
		if !treefs.Exists(filepath.Join(out.dir, objectPath(name))) {
			if err := (Repository{whole.dir}).place(name, out, copied); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := out.Complete("/the/history", lost); err != nil {
		t.Error(err)
	}
	runOSTree(t, "--repo="+out.dir, "fsck", "--quiet")
}

// dirtreeAt is the checksum of a directory of a commit's root.
func (r Repository) dirtreeAt(commit, name string) (string, error) {
	c, err := r.Commit(commit)
	if err != nil {
		return "", err
	}
	root, _, _ := strings.Cut(c.Tree, ".")
	dir, err := r.dirtree(root)
	if err != nil {
		return "", err
	}
	if dir.Dirs[name] == "" {
		return "", fmt.Errorf("no %s", name)
	}
	return dir.Dirs[name], nil
}
