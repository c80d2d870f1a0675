package build

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/treetest"
	"github.com/treewright/treewright/builder/used"
)

// pruning prunes a cache without pause, as another program, until stop is called.
func pruning(t *testing.T, root string) (stop func()) {
	t.Helper()
	c, err := cache.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-ended:
				return
			default:
			}
			if _, err := c.Prune(time.Now(), false); err != nil {
				t.Errorf("prune: %v", err)
				return
			}
		}
	}()
	return func() {
		close(ended)
		<-stopped
	}
}

// TestRecordsWhilePruned: another program that prunes the cache does not keep a build from writing its records.
func TestRecordsWhilePruned(t *testing.T) {
	b, s := newLockedTree(t).open()
	p, err := b.Prepare(t.Context(), s, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	defer pruning(t, b.options.Cache)()
	for range 30 {
		if err := b.remember(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(b.knownPath(s.Flavour())); err != nil {
			t.Fatal(err)
		}
		b.noteSteps(t.Context(), p)
		if len(b.StepNames(s.Flavour())) == 0 {
			t.Fatal("the steps were not written down")
		}
	}
}

// TestLockWhilePruned: another program that prunes the cache does not remove the indices that a lock is made from.
func TestLockWhilePruned(t *testing.T) {
	b, s := newLockedTree(t).open()
	defer pruning(t, b.options.Cache)()
	for range 2 {
		if _, err := b.MakeLock(t.Context(), s, LockRequest{}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBuiltinIsHeld: the program's own tree is not removed from the cache while a builder can read it.
func TestBuiltinIsHeld(t *testing.T) {
	b := &Builder{options: Options{Cache: t.TempDir()}}
	b.choose()
	defer b.held.Close()
	dir, err := b.FeatureDir(&config.Feature{Name: "base", Root: &config.Root{Name: config.Builtin, FS: used.Builtin()}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cache.Open(b.options.Cache)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := c.Prune(time.Now().Add(time.Hour), true); err != nil || p.Kept != 1 {
		t.Errorf("%+v, error %v", p, err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); err != nil {
		t.Error(err)
	}
}

// TestVerifyWhilePruned: a history is not removed while it is verified, because it would look damaged.
func TestVerifyWhilePruned(t *testing.T) {
	b := &Builder{options: Options{Cache: t.TempDir()}}
	treetest.Lay(t, b.options.Cache, "history/one/objects/", "sources/damaged/file")
	c, err := cache.Open(b.options.Cache)
	if err != nil {
		t.Fatal(err)
	}
	asked := false
	_, err = b.VerifyCache(t.Context(), func(string) {
		if asked {
			return
		}
		asked = true
		if p, err := c.Prune(time.Now().Add(time.Hour), false); err != nil || p.Others != 0 {
			t.Errorf("while it reads snapshots, %+v is pruned, error %v", p, err)
		}
	})
	if err != nil || !asked {
		t.Errorf("asked: %v, error %v", asked, err)
	}
	if _, err := os.Stat(filepath.Join(b.options.Cache, "sources/damaged")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the damaged snapshot is there, error %v", err)
	}
}

// TestCausesAreHeld: the layers in which the features of files are looked up are not removed during a comparison.
func TestCausesAreHeld(t *testing.T) {
	b := &Builder{options: Options{Cache: t.TempDir()}}
	c, err := cache.Open(b.options.Cache)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.Repeat("a", 64)
	draft, err := c.Store.Begin(key)
	if err != nil {
		t.Fatal(err)
	}
	treetest.Lay(t, draft.Data, "etc/motd")
	if err := draft.Commit(layer.Result{Step: "rootfs/files/base"}); err != nil {
		t.Fatal(err)
	}
	c.Store.Close()
	treetest.Write(t, b.knownPath("x"), `[{"id": "rootfs/files/base", "key": "`+key+`", "tree": true}]`)
	d := &differ{b: b}
	defer d.held.Close()
	cause := d.causes(&publish.Manifest{Flavour: "x", Steps: []publish.ManifestStep{{ID: "rootfs/files/base", Key: key}}})
	if p, err := c.Prune(time.Now().Add(time.Hour), false); err != nil || p.Results != 0 {
		t.Errorf("%+v, error %v", p, err)
	}
	if got := cause("/etc/motd"); got != "feature base" {
		t.Errorf("/etc/motd is from %q", got)
	}
}
