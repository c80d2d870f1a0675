package cli

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

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/source"
)

// verification reads all that is in the cache and removes what is bad.
type verification struct {
	c      *command
	store  *layer.Store
	bytes  int64
	counts []string // "26 results"
	others int      // results of other versions

	mu  sync.Mutex
	bad int
}

func (c *command) cacheVerify(ctx context.Context) error {
	store, err := layer.Open(filepath.Join(c.options.cache, "store"))
	if err != nil {
		return err
	}
	defer store.Close()
	v := &verification{c: c, store: store}
	for _, part := range []func(context.Context) error{v.results, v.downloads, v.snapshots, v.resolved, v.histories} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	what := strings.Join(v.counts, ", ")
	if v.others > 0 {
		fmt.Fprintf(c.Out, "%d results were made by another version of treewright, and no build uses them\n", v.others)
	}
	if v.bad > 0 {
		return fmt.Errorf("verify the cache: of %s (%s), %d were damaged and have been removed: builds that need them make or download them again", what, event.FormatBytes(v.bytes), v.bad)
	}
	fmt.Fprintf(c.Out, "checked %s (%s): nothing is damaged\n", what, event.FormatBytes(v.bytes))
	return nil
}

// count notes how many of a kind there are to check, and where.
func (v *verification) count(n int, what, dir string) {
	v.counts = append(v.counts, fmt.Sprintf("%d %s", n, what))
	v.bytes += layer.DiskUsage(filepath.Join(v.c.options.cache, dir))
}

// damaged says that something is, and removes it.
func (v *verification) damaged(what string, remove func() error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bad++
	fmt.Fprintf(v.c.Out, "%s: removed\n", what)
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
		v.others++
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
		// In case somebody is making it anew, or has it mounted.
		return errors.Join(v.store.Condemn(damage), remove())
	})
}

func (v *verification) downloads(ctx context.Context) error {
	return v.each(ctx, "packages", "sha256/*/*", "downloads", "does not have the SHA-256 that its name says", func(path string) (bool, error) {
		sum, err := layer.HashFile(path)
		return sum == filepath.Base(path), err
	})
}

func (v *verification) snapshots(ctx context.Context) error {
	return v.each(ctx, "sources", "*", "snapshots of source files", "is not what its name says", source.Check)
}

func (v *verification) resolved(ctx context.Context) error {
	return v.each(ctx, "resolved", "*.json", "resolved package sets", "is not what was written", func(path string) (bool, error) {
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
	return v.each(ctx, "history", "*", "downloaded histories", "is not whole", func(path string) (bool, error) {
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

// each checks what a pattern matches in a directory of the cache, but for what is
// being made (names with a dot). differs is what one is that is not good.
func (v *verification) each(ctx context.Context, dir, pattern, what, differs string, good func(path string) (bool, error)) error {
	paths, err := layer.Glob(filepath.Join(v.c.options.cache, dir), pattern)
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
