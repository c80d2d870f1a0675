package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRootMergedIsTheMount changes a tree of layers in all ways that overlayfs knows. The indices
// must give the same tree as the mount.
func TestRootMergedIsTheMount(t *testing.T) {
	private(t, func(t *testing.T) {
		s := openTest(t)
		var stack []string
		for i, change := range changesOfTrees {
			key := fmt.Sprintf("%064d", i)
			d := begin(t, s, key)
			d.Layer = true
			tree := d.Data
			if i > 0 {
				tree = filepath.Join(t.TempDir(), "tree")
				if !must(t, os.Mkdir(tree, 0o755)) || !must(t, Mount(tree, stack, d.Data, d.Work)) {
					return
				}
			}
			change(t, tree)
			if i > 0 && !must(t, Unmount(tree)) {
				return
			}
			if !must(t, d.Commit(Result{})) {
				return
			}
			stack = append(stack, s.Data(key))
		}
		tree := filepath.Join(t.TempDir(), "tree")
		if !must(t, os.Mkdir(tree, 0o755)) || !must(t, Mount(tree, stack, "", "")) {
			return
		}
		// Not readIndex, whose threads are outside of this mount namespace.
		want := map[string]string{}
		err := filepath.WalkDir(tree, func(path string, _ fs.DirEntry, err error) error {
			var st unix.Stat_t
			if err := errors.Join(err, unix.Lstat(path, &st)); err != nil {
				return err
			}
			rel, _ := filepath.Rel(tree, path)
			e := entryOf(rel, &st)
			if err := e.read(path, true); err != nil {
				return err
			}
			if e.kind() == unix.S_IFDIR {
				e.size = 0
			}
			want[rel] = describeNode(&Node{Mode: e.mode, UID: e.uid, GID: e.gid, Size: e.size, SHA256: e.sum, Object: e.object, Target: e.target})
			return nil
		})
		if !must(t, err) || !must(t, Unmount(tree)) {
			return
		}
		root, err := Merged(stack)
		if !must(t, err) {
			return
		}
		root.Walk(func(path string, n *Node) {
			if got := describeNode(n); got != want[path] {
				t.Errorf("%s is %q, but the indices give %q", path, want[path], got)
			}
			delete(want, path)
		})
		if len(want) > 0 {
			t.Errorf("the indices lack %v", want)
		}
	})
}

func describeNode(n *Node) string {
	if n.Mode&unix.S_IFMT == unix.S_IFLNK {
		return "link to " + n.Target
	}
	return fmt.Sprintf("%o %d:%d %d %s %s", n.Mode, n.UID, n.GID, n.Size, n.SHA256, n.Object)
}

var changesOfTrees = []func(t *testing.T, tree string){
	func(t *testing.T, tree string) {
		for _, path := range []string{"kept/file", "gone/file", "emptied/file", "replaced/old", "replaced/sub/old", "file-to-dir", "dir-to-file/deep/file", "dir-to-link/file", "owner/file", "xattr/file"} {
			put(t, filepath.Join(tree, path), path)
		}
		must(t, os.Link(tree+"/kept/file", tree+"/kept/link"))
		must(t, os.Symlink("kept/file", tree+"/link"))
		must(t, unix.Setxattr(tree+"/xattr/file", "user.note", []byte("first"), 0))
		must(t, unix.Setxattr(tree+"/xattr", "user.note", []byte("dir"), 0))
	},
	func(t *testing.T, tree string) {
		for _, path := range []string{"gone", "emptied/file", "replaced", "file-to-dir", "dir-to-file", "dir-to-link"} {
			must(t, os.RemoveAll(filepath.Join(tree, path)))
		}
		for _, path := range []string{"replaced/new", "file-to-dir/file", "dir-to-file", "added/file"} {
			put(t, filepath.Join(tree, path), "now "+path)
		}
		must(t, os.Symlink("added", tree+"/dir-to-link"))
		must(t, os.Chown(tree+"/owner/file", 7, 8))
		must(t, os.Chmod(tree+"/owner/file", 0o4755|os.ModeSetuid))
		must(t, os.Chmod(tree+"/owner", 0o700))
	},
	func(t *testing.T, tree string) {
		must(t, os.Remove(tree+"/dir-to-file"))
		put(t, tree+"/dir-to-file/again", "again")
		must(t, os.RemoveAll(tree+"/file-to-dir"))
		put(t, tree+"/gone/other", "other")
		put(t, tree+"/replaced/sub/other", "other")
		must(t, os.Remove(tree+"/kept/file"))
		must(t, unix.Setxattr(tree+"/xattr/file", "user.note", []byte("second"), 0))
		must(t, os.Chmod(tree, 0o711))
	},
}
