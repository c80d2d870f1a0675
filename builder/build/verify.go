package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/source"
)

// Verified describes what there was in a cache.
type Verified struct {
	Bytes  int64
	Counts []string // "26 results"
	// Others are results of other versions, and Damaged is what was removed.
	Others, Damaged int
}

// verification reads all that is in the cache and removes what is bad.
type verification struct {
	Verified
	root  string
	store *layer.Store
	say   func(line string)
	mu    sync.Mutex
}

// VerifyCache reads all that is in the cache and removes what is damaged, so that
// it is made or downloaded again. say is called with each.
func (b *Builder) VerifyCache(ctx context.Context, say func(line string)) (Verified, error) {
	kept, err := cache.Open(b.options.Cache)
	if err != nil {
		return Verified{}, err
	}
	store := kept.Store
	defer store.Close()
	v := &verification{root: b.options.Cache, store: store, say: say}
	for _, part := range []func(context.Context) error{v.results, v.downloads} {
		if err := part(ctx); err != nil {
			return v.Verified, err
		}
	}
	// A history that another program removed in the middle would look damaged.
	done, err := kept.Planning(ctx, func() { say("waiting, because space is being freed in the cache") })
	if err != nil {
		return v.Verified, err
	}
	defer done()
	for _, part := range []func(context.Context) error{v.snapshots, v.resolved, v.histories} {
		if err := part(ctx); err != nil {
			return v.Verified, err
		}
	}
	return v.Verified, nil
}

// count notes how many of a kind there are to check, and where.
func (v *verification) count(n int, what, dir string) {
	v.Counts = append(v.Counts, fmt.Sprintf("%d %s", n, what))
	v.Bytes += layer.DiskUsage(filepath.Join(v.root, dir))
}

// damaged reports that something is, and removes it.
func (v *verification) damaged(what string, remove func() error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Damaged++
	v.say(what + ": removed")
	return remove()
}

func (v *verification) results(ctx context.Context) error {
	keys, err := v.store.Keys()
	if err != nil {
		return err
	}
	v.count(len(keys), "results", "store/results")
	for _, key := range keys {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := v.result(key); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) result(key string) error {
	remove := func() error {
		v.store.LetGo(key)
		// One that a build uses stays there; no other build takes it for good.
		_, err := v.store.Remove(key, time.Now())
		return err
	}
	if why := v.store.WhyNot(key); why != "" {
		return v.damaged(why, remove)
	}
	_, ok, err := v.store.Get(key)
	if err != nil {
		return err
	}
	if !ok {
		v.Others++
		return nil
	}
	err = v.store.Verify(key)
	var damage *layer.Damage
	if !errors.As(err, &damage) {
		return err
	}
	if _, ok, err := v.store.Get(key); err != nil || !ok {
		return err // it was pruned while it was read
	}
	return v.damaged(damage.Error(), func() error {
		// In case somebody is making it again, or has it mounted.
		return errors.Join(v.store.Condemn(damage), remove())
	})
}

func (v *verification) downloads(ctx context.Context) error {
	return v.each(ctx, "packages", "sha256/*/*", "downloads", "has another SHA-256 than the one in its name", func(path string) (bool, error) {
		sum, err := layer.HashFile(path)
		return sum == filepath.Base(path), err
	})
}

func (v *verification) snapshots(ctx context.Context) error {
	return v.each(ctx, "sources", "*", "snapshots of source files", "has another digest than the one in its name", source.Check)
}

func (v *verification) resolved(ctx context.Context) error {
	return v.each(ctx, "resolved", "*.json", "resolved package sets", "differs from what was written", func(path string) (bool, error) {
		_, ok, err := layer.ReadSealed(path)
		return ok, err
	})
}

func (v *verification) histories(ctx context.Context) error {
	// All is to be read: without a record of what was read before.
	none, err := os.MkdirTemp("", "treewright-verify-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(none)
	return v.each(ctx, "history", "*", "downloaded histories", "is incomplete or damaged", func(path string) (bool, error) {
		known, err := ostree.Check(ctx, path, filepath.Join(none, filepath.Base(path)), nil, nil)
		if err != nil {
			return false, err
		}
		if len(known.Bad) > 0 {
			return false, errors.New(ostree.Describe(known.Bad))
		}
		return true, nil
	})
}

// each checks what a pattern matches in a directory of the cache, except for what is
// being made (names with a dot). differs is what one is that is not good.
func (v *verification) each(ctx context.Context, dir, pattern, what, differs string, good func(path string) (bool, error)) error {
	paths, err := layer.Glob(filepath.Join(v.root, dir), pattern)
	if err != nil {
		return err
	}
	var files []string
	for _, path := range paths {
		if !strings.HasPrefix(filepath.Base(path), ".") {
			files = append(files, path)
		}
	}
	v.count(len(files), what, dir)
	return layer.OnAllCores(len(files), func(i int) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		ok, err := good(files[i])
		if ok || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if cerr := context.Cause(ctx); cerr != nil {
			return cerr
		}
		how := differs
		if err != nil {
			how += ": " + err.Error()
		}
		return v.damaged("damaged: "+files[i]+" "+how, func() error { return os.RemoveAll(files[i]) })
	})
}
