package layer

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// private runs a test in a mount namespace of its own, so that whatever goes
// wrong leaves no mount on the machine. The thread that has it ends with the
// test.
func private(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it mounts overlays; run it as CI does, sudo make test")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread is thrown away
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			t.Error(err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Error(err)
			return
		}
		test(t)
	}()
	<-done
}

// must reports an error and reports whether there was none; FailNow is not for the
// goroutine of private.
func must(t *testing.T, err error) bool {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

func TestRootMount(t *testing.T) { tryMount(t, Mount) }

// TestRootMountClassic is for kernels before Linux 6.8.
func TestRootMountClassic(t *testing.T) { tryMount(t, mountClassic) }

func tryMount(t *testing.T, mount func(target string, lowers []string, upper, work string) error) {
	private(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "with a blank, a:colon, a \\ backslash, \"quotes\"\nand a line end")
		low, high, upper, work, tree := dir+"/low", dir+"/high", dir+"/upper", dir+"/work", dir+"/m/tree"
		for _, d := range []string{upper, work, tree} {
			if !must(t, os.MkdirAll(d, 0o755)) {
				return
			}
		}
		put(t, low+"/both", "low")
		put(t, low+"/low", "low")
		put(t, low+"/sub/gone", "low")
		put(t, low+"/replaced/old", "low")
		put(t, high+"/both", "high")
		if !must(t, mount(tree, []string{low, high}, upper, work)) {
			return
		}
		if get(t, tree+"/both") != "high" || get(t, tree+"/low") != "low" {
			t.Error("the higher layer does not win")
		}
		put(t, tree+"/new", "new")
		put(t, tree+"/low", "changed")
		must(t, os.Remove(tree+"/sub/gone"))
		must(t, os.RemoveAll(tree+"/replaced"))
		put(t, tree+"/replaced/new", "new")
		if !must(t, Unmount(tree)) {
			return
		}
		for name, want := range map[string]string{"new": "file", "low": "file", "sub/gone": "removes", "both": "", "replaced": "directory", "sub": "directory"} {
			if got := ChangeOf(filepath.Join(upper, name)); got != want {
				t.Errorf("the upper directory's %s is %q, want %q", name, got, want)
			}
		}
		if get(t, low+"/low") != "low" {
			t.Error("a lower layer changed")
		}
		// What ties the layer to this disk goes, what it says of the change stays.
		for _, name := range []string{".", "low", "sub", "replaced"} {
			must(t, ForgetHost(filepath.Join(upper, name)))
		}
		if got := attributes(t, upper+"/low") + attributes(t, upper); strings.Contains(got, "overlay") {
			t.Errorf("left are %q", got)
		}
		if got := attributes(t, upper+"/replaced"); !strings.Contains(got, "trusted.overlay.opaque") {
			t.Errorf("the replaced directory has %q", got)
		}
		// As a lower layer of a read-only tree it shows the same.
		if !must(t, Mount(tree, []string{low, high, upper}, "", "")) {
			return
		}
		if _, err := os.Stat(tree + "/sub/gone"); err == nil {
			t.Error("the whiteout has no effect")
		}
		if _, err := os.Stat(tree + "/replaced/old"); err == nil {
			t.Error("the replaced directory shows what it replaced")
		}
		if get(t, tree+"/low") != "changed" || get(t, tree+"/both") != "high" {
			t.Error("the stack shows something else than was made")
		}
		if err := os.WriteFile(tree+"/x", nil, 0o644); err == nil {
			t.Error("a read-only tree can be written")
		}
		must(t, Unmount(tree))
	})
}

func attributes(t *testing.T, path string) string {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := unix.Llistxattr(path, buf)
	if err != nil {
		t.Error(err)
		return ""
	}
	return string(buf[:n])
}

// TestRootMountOneAndNone: overlayfs itself wants more layers than these.
func TestRootMountOneAndNone(t *testing.T) {
	private(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir+"/low/file", "low")
		for _, d := range []string{"m/tree", "upper", "work"} {
			must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
		}
		tree := dir + "/m/tree"
		if must(t, Mount(tree, []string{dir + "/low"}, "", "")) {
			if get(t, tree+"/file") != "low" {
				t.Error("one layer alone does not show")
			}
			must(t, Unmount(tree))
		}
		if must(t, Mount(tree, nil, dir+"/upper", dir+"/work")) {
			put(t, tree+"/new", "x")
			must(t, Unmount(tree))
			if ChangeOf(dir+"/upper/new") != "file" {
				t.Error("a change to the empty tree is lost")
			}
		}
	})
}

// TestRootManyLayers: with mount(2) the options would not fit into a page.
func TestRootManyLayers(t *testing.T) {
	private(t, func(t *testing.T) {
		const n = 200
		dir := filepath.Join(t.TempDir(), strings.Repeat("long", 15))
		var lowers []string
		for i := range n {
			l := filepath.Join(dir, fmt.Sprintf("%064d", i))
			put(t, filepath.Join(l, fmt.Sprint("only-", i)), "x")
			put(t, filepath.Join(l, "all"), fmt.Sprint(i))
			lowers = append(lowers, l)
		}
		for _, d := range []string{"m/tree", "upper", "work"} {
			must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
		}
		tree := dir + "/m/tree"
		if !must(t, Mount(tree, lowers, dir+"/upper", dir+"/work")) {
			return
		}
		if got := len(names(t, tree)); got != n+1 {
			t.Errorf("the tree has %d entries, want %d", got, n+1)
		}
		if got := get(t, tree+"/all"); got != fmt.Sprint(n-1) {
			t.Errorf("layer %s wins, want the last", got)
		}
		must(t, Unmount(tree))
	})
}

func TestRootMountFaults(t *testing.T) {
	private(t, func(t *testing.T) {
		dir := t.TempDir()
		must(t, os.MkdirAll(dir+"/m/tree", 0o755))
		err := Mount(dir+"/m/tree", []string{dir + "/none", dir + "/m"}, "", "")
		if err == nil || !strings.HasPrefix(err.Error(), "mount tree: ") || !strings.Contains(err.Error(), dir+"/none: no such file or directory") {
			t.Errorf("error %v, want one that names the layer that is missing", err)
		}
		if err := Unmount(dir + "/m/tree"); err == nil {
			t.Error("what is not mounted can be unmounted")
		}
	})
}

// TestRootStoreOnOverlay: upper directories cannot be on an overlay, and the
// message describes what to do.
func TestRootStoreOnOverlay(t *testing.T) {
	private(t, func(t *testing.T) {
		dir := t.TempDir()
		for _, d := range []string{"low", "upper", "work", "m/tree"} {
			must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
		}
		if !must(t, Mount(dir+"/m/tree", []string{dir + "/low"}, dir+"/upper", dir+"/work")) {
			return
		}
		defer Unmount(dir + "/m/tree")
		_, err := Open(dir + "/m/tree/cache")
		if err == nil || !strings.Contains(err.Error(), "overlay file system") || !strings.Contains(err.Error(), "--cache") {
			t.Errorf("error %v", err)
		}
	})
}

// TestRootRemoveImmutable: ostree makes deployments immutable.
func TestRootRemoveImmutable(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it makes a directory immutable; run it as CI does, sudo make test")
	}
	s := openTest(t)
	d := begin(t, s, testKey)
	locked := filepath.Join(d.Data, "deploy/root")
	put(t, filepath.Join(locked, "sub/file"), "x")
	f, err := os.Open(locked)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, immutableFlag); err != nil {
		treetest.Skip(t, "needs a file system with immutable directories: %v", err)
	}
	if err := os.RemoveAll(d.Data); err == nil {
		t.Error("the directory is not immutable, so this shows nothing")
	}
	d.Abort()
	if got := names(t, filepath.Join(s.root, "drafts")); len(got) != 0 {
		must(t, ClearImmutable(locked))
		t.Errorf("left: %v", got)
	}
}
