package ostree

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
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
		treetest.Skip(t, "needs the program ostree")
	}
	tree := t.TempDir()
	for name, text := range map[string]string{
		"usr/bin/program": strings.Repeat("program ", 1000), "usr/share/doc/readme": "read me\n", "usr/etc/built-at": "one\n",
		"usr/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "usr/etc/group": "root:x:0:\n",
	} {
		treetest.Write(t, filepath.Join(tree, name), text)
	}
	if err := os.Symlink("program", filepath.Join(tree, "usr/bin/link")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "repo")
	r := realRepo{t: t, dir: dir, record: dir + ".objects"}
	runOSTree(t, "--repo="+dir, "init", "--mode=archive")
	r.first = r.commit(tree)
	treetest.Write(t, filepath.Join(tree, "usr/etc/built-at"), "two\n")
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
		sum, err := Repository{dir: r.dir}.lookup(commit, path)
		if err != nil {
			r.t.Fatal(err)
		}
		name = sum + ".filez"
	}
	return filepath.Join(r.dir, ObjectPath(name))
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
	// A link that comes or goes is not a change, though the inode's time tells of it.
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
		treetest.Write(t, r.record+".bad", string(bad))
		if got := readRecord(r.record + ".bad"); len(got.objects) != 0 {
			t.Fatalf("a record with byte %d changed counts", n)
		}
		treetest.Write(t, r.record+".bad", string(raw[:n]))
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
		{"empty", func(t testing.TB, path string) { treetest.Write(t, path, "") }},
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
			if len(c.Bad) != 1 || "objects/"+name != ObjectPath(c.Bad[0].Object) || c.Bad[0].Reason == "" {
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
	if err := Publish(t.Context(), r.dir, dest, dest+".objects", nil); err != nil {
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
	if err := Publish(t.Context(), partial, dest, dest+".objects", nil); err != nil {
		t.Fatal(err)
	}
	if !treefs.Exists(filepath.Join(dest, partialMark(whole.first))) {
		t.Error("that a commit is partial is not published")
	}
}
