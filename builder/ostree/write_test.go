package ostree

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treetest"
)

// odd writes a tree with files that are rare.
func odd(t *testing.T, dir string) {
	t.Helper()
	noise := rand.New(rand.NewPCG(1, 2))
	large := make([]byte, 3<<20)
	for i := range large {
		large[i] = byte(noise.IntN(7))
	}
	for path, text := range map[string]string{
		"usr/lib/modules/6.1/vmlinuz": "kernel", "usr/lib/modules/6.1/initramfs.img": "initramfs",
		"usr/empty": "", "usr/large": string(large), "usr/name with \n": "x", "usr/\u00fcml\u00e4ut": "y",
		"usr/bin/setuid": "program", "usr/bin/attr": "has an attribute",
	} {
		treetest.Write(t, filepath.Join(dir, path), text)
	}
	// Listings whose size takes one, two and four bytes.
	for i := range 1200 {
		treetest.Write(t, filepath.Join(dir, "usr/share/many", fmt.Sprintf("%04d-%s", i, strings.Repeat("x", 20))), fmt.Sprint(i%50))
	}
	for i := range 6 {
		treetest.Write(t, filepath.Join(dir, "usr/share/few", fmt.Sprint(i)), "few")
	}
	for _, sub := range []string{"usr/none", "usr/sticky"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]fs.FileMode{"usr/bin/setuid": 0o755 | fs.ModeSetuid | fs.ModeSetgid, "usr/sticky": 0o777 | fs.ModeSticky, "usr/empty": 0o600} {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"usr/link": "empty", "usr/long": strings.Repeat("../", 300) + "x"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "usr/large"), filepath.Join(dir, "usr/again")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"user.zzz", "user.a"} {
		for _, path := range []string{"usr/bin/attr", "usr/sticky"} {
			if err := unix.Setxattr(filepath.Join(dir, path), name, []byte(strings.Repeat(name, 50)), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if os.Geteuid() == 0 {
		if err := os.Lchown(filepath.Join(dir, "usr/link"), 5, 6); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(dir, "usr/none"), 70000, 6); err != nil {
			t.Fatal(err)
		}
	}
}

// contentsOf describes a tree, which becomes a layer. Without sums its files are read for it.
func contentsOf(t *testing.T, sums bool) *Contents {
	t.Helper()
	store, err := layer.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := store.Begin("key")
	if err != nil {
		t.Fatal(err)
	}
	d.Layer = sums
	odd(t, d.Data)
	if err := d.Commit(layer.Result{}); err != nil {
		t.Fatal(err)
	}
	root, err := layer.Merged([]string{store.Data("key")})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ContentsOf(root, store.Data("key"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestWriteIsWhatOSTreeCommits: libostree gives the same tree the same checksums, and finds
// nothing wrong with the objects that were written.
func TestWriteIsWhatOSTreeCommits(t *testing.T) {
	real := makeReal(t)
	for _, sums := range []bool{true, false} {
		c := contentsOf(t, sums)
		theirs := filepath.Join(t.TempDir(), "theirs")
		runOSTree(t, "--repo="+theirs, "init", "--mode=archive")
		sum := runOSTree(t, "--repo="+theirs, "commit", "--branch=b", "--tree=dir="+c.dir, "--timestamp=@5", "--bootable", "--no-bindings")
		want, err := At(theirs).Commit(sum)
		if err != nil {
			t.Fatal(err)
		}
		if c.Tree != want.Tree {
			t.Fatalf("with sums %v: the tree is %s, ostree's is %s", sums, c.Tree, want.Tree)
		}

		out := At(real.dir)
		lacks, err := out.Lacks(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Write(context.Background(), c, lacks, func(int) {}); err != nil {
			t.Fatal(err)
		}
		bare, remove, err := out.AddBareCommit(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := runOSTree(t, "--repo="+real.dir, "commit", fmt.Sprintf("--branch=sums-%v", sums), "--tree=ref="+bare, "--timestamp=@5", "--bootable", "--no-bindings"); got != sum {
			t.Errorf("with sums %v: the commit is %s, not %s", sums, got, sum)
		}
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		runOSTree(t, "--repo="+real.dir, "fsck")
		for _, name := range lacks {
			if err := out.checkObject(name); err != nil { // it checks sizes too
				t.Errorf("%s: %v", name, err)
			}
		}
		if again, err := out.Lacks(c); err != nil || len(again) > 0 {
			t.Errorf("written, but it lacks %v, %v", again, err)
		}
	}
}

// TestCompressedBytes: a module that compresses in another way is another version of the
// action that commits.
func TestCompressedBytes(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: the owner of the file is a part of its object")
	}
	c := contentsOf(t, true)
	h := sha256.New()
	for name, f := range c.files {
		if f.path == "usr/large" || f.path == "usr/again" {
			if err := c.deflate(h, f, strings.TrimSuffix(name, ".filez")); err != nil {
				t.Fatal(err)
			}
		}
	}
	const want = "00d495788135f430a6de69da949de4c6e2e2ea8a7673f28d3d9bbeffdbb7d544"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the object of usr/large is %s now; raise the version of ostree-commit, then write the new sum here", got)
	}
}

// TestWithoutReserve: ostree commits to a disk that has less space left than it keeps free, and
// the configuration is as before.
func TestWithoutReserve(t *testing.T) {
	real := makeReal(t)
	// The same for ostree as a disk that is nearly full.
	runOSTree(t, "--repo="+real.dir, "config", "set", "core.min-free-space-percent", "99")
	before := treetest.Content(t, filepath.Join(real.dir, "config"))
	tree := t.TempDir()
	treetest.Write(t, filepath.Join(tree, "usr/file"), "new")
	commit := func() ([]byte, error) {
		return exec.Command("ostree", "--repo="+real.dir, "commit", "--branch=new", "--tree=dir="+tree).CombinedOutput()
	}
	if out, err := commit(); err == nil || !strings.Contains(string(out), "min-free-space-percent") {
		t.Fatalf("%v: %s", err, out)
	}
	err := At(real.dir).WithoutReserve(func() error {
		out, err := commit()
		if err != nil {
			t.Errorf("%s", out)
		}
		return err
	})
	if after := treetest.Content(t, filepath.Join(real.dir, "config")); err != nil || after != before {
		t.Errorf("%v; the configuration was\n%s\nis\n%s", err, before, after)
	}
}

// TestContentsFaults: what libostree does not commit is refused, with its path.
func TestContentsFaults(t *testing.T) {
	for name, n := range map[string]*layer.Node{
		"not \xff UTF-8": {Mode: unix.S_IFREG | 0o644, Object: strings.Repeat("0", 64)},
		"socket":         {Mode: unix.S_IFSOCK | 0o644}, "fifo": {Mode: unix.S_IFIFO | 0o644}, "device": {Mode: unix.S_IFCHR | 0o644},
	} {
		usr := &layer.Node{Mode: unix.S_IFDIR | 0o755, Entries: map[string]*layer.Node{name: n}}
		root := &layer.Node{Mode: unix.S_IFDIR | 0o755, Entries: map[string]*layer.Node{"usr": usr}}
		if _, err := ContentsOf(root, t.TempDir()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", "usr/"+name)) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestWriteFaults: a file that is not what its index has is not committed.
func TestWriteFaults(t *testing.T) {
	real := makeReal(t)
	c := contentsOf(t, true)
	treetest.Write(t, filepath.Join(c.dir, "usr/large"), "another")
	lacks, err := At(real.dir).Lacks(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := At(real.dir).Write(context.Background(), c, lacks, func(int) {}); err == nil || !strings.Contains(err.Error(), "usr/") {
		t.Errorf("a changed file was committed: %v", err)
	}
}

// TestDeployableIsWhatOSTreePulls: the repository that ostree deploys from has the same files as
// one that ostree pulled.
func TestDeployableIsWhatOSTreePulls(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: a repository of mode bare has files with the owners of the tree")
	}
	makeReal(t) // for its check of ostree
	c := contentsOf(t, true)
	dir := t.TempDir()
	archive, theirs, ours := filepath.Join(dir, "archive"), filepath.Join(dir, "theirs"), filepath.Join(dir, "ours")
	runOSTree(t, "--repo="+archive, "init", "--mode=archive")
	for _, bare := range []string{theirs, ours} {
		runOSTree(t, "--repo="+bare, "init", "--mode=bare")
	}
	commit := runOSTree(t, "--repo="+archive, "commit", "--branch=b/c", "--tree=dir="+c.dir, "--timestamp=@5", "--bootable", "--no-bindings")
	runOSTree(t, "--repo="+theirs, "pull-local", "--remote=main", archive, "b/c")
	if err := At(archive).Deployable(context.Background(), commit, c, ours, "main", "b/c"); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"objects", "refs"} {
		// Files have the time 0, all else that of this test; ostree links files that are the same in both.
		now := regexp.MustCompile(` links=\d [1-9][0-9]{8,}\.[0-9]+ `)
		list := func(repo string) string {
			return now.ReplaceAllString(strings.Join(treetest.Listing(t, filepath.Join(repo, sub)), "\n"), " now ")
		}
		if got, want := list(ours), list(theirs); got != want {
			t.Errorf("%s is\n%s, ostree's is\n%s", sub, got, want)
		}
	}
	runOSTree(t, "--repo="+ours, "fsck")
	other := *c
	other.Tree = "other.tree"
	if err := At(archive).Deployable(context.Background(), commit, &other, ours, "main", "b/c"); err == nil || !strings.Contains(err.Error(), "other.tree") {
		t.Errorf("another tree was taken: %v", err)
	}
}
