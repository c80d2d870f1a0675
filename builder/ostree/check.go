package ostree

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Checked is what is known of the objects of a repository after a look at it.
type Checked struct {
	repo Repository
	path string  // of the record
	now  *record // what refs lead to and is whole
	// Bad are objects that are needed and damaged, or not there; Mended are those
	// that were so and were replaced.
	Bad, Mended []Damage
}

// Check makes sure that all that the refs of the repository in dir
// lead to is there and whole. What was found whole before, by the record in the
// file path, and was not touched since, is not read again. What is bad is
// replaced by the same object of one of the repositories spares, if it is whole
// there. slow is called, if anything must be read, with how many objects.
func Check(ctx context.Context, dir, path string, spares []string, slow func(objects int)) (*Checked, error) {
	repo, err := Open(dir)
	if err != nil {
		return nil, err
	}
	refs, err := repo.Refs()
	if err != nil {
		return nil, err
	}
	known := readRecord(path)
	same, err := known.look(repo)
	if err != nil {
		return nil, err
	}
	c := &Checked{repo: repo, path: path, now: &record{refs, same.objects}}
	if maps.Equal(refs, known.refs) && len(same.objects) == len(known.objects) {
		if !slices.Equal(same.objects, known.objects) { // links came or went
			c.keep()
		}
		return c, nil
	}
	for mended := -1; mended < len(c.Mended); {
		// What was damaged may lead to more.
		if err := c.readAll(ctx, slow); err != nil {
			return nil, err
		}
		mended = len(c.Mended)
		if err := c.mend(spares); err != nil {
			return nil, err
		}
	}
	c.keep()
	return c, nil
}

// keep writes the record, of a repository without damage: each entry is for
// all that it leads to. What cannot be recorded, on a full disk, is read again.
func (c *Checked) keep() {
	if len(c.Bad) == 0 {
		_ = c.now.write(c.path)
	}
}

// readAll reads what refs lead to and is not known to be intact.
func (c *Checked) readAll(ctx context.Context, slow func(int)) error {
	w := c.repo.reach(c.now.refs, nil)
	intact := c.now.stamps()
	unread := slices.DeleteFunc(slices.Clone(w.objects), func(name string) bool { _, ok := intact[name]; return ok })
	maps.DeleteFunc(intact, func(name string, _ stamp) bool { return w.needs[name] == "" })
	c.Bad = w.lost
	if len(unread) > 0 {
		if slow != nil {
			slow(len(unread))
		}
		found, bad, err := c.repo.readObjects(ctx, unread)
		if err != nil {
			return err
		}
		maps.Copy(intact, found)
		for name, reason := range bad {
			c.Bad = append(c.Bad, Damage{Object: name, Commit: w.needs[name], Reason: reason})
		}
		byObject(c.Bad)
	}
	c.now = newRecord(c.now.refs, intact)
	return nil
}

// readObjects reads objects on all cores. It returns the stamps of those that
// are whole, and what is wrong with the others.
func (r Repository) readObjects(ctx context.Context, names []string) (whole map[string]stamp, bad map[string]string, err error) {
	whole, bad = map[string]stamp{}, map[string]string{}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next = make(chan string)
	)
	for range runtime.NumCPU() {
		wg.Go(func() {
			for name := range next {
				// The stamp is from before: who writes meanwhile is noticed next time.
				now, err := stampOf(unix.AT_FDCWD, filepath.Join(r.dir, ObjectPath(name)))
				if err == nil {
					err = r.checkObject(name)
				}
				mu.Lock()
				if err == nil {
					whole[name] = now
				} else {
					bad[name] = Gist(err)
				}
				mu.Unlock()
			}
		})
	}
	for _, name := range names {
		if ctx.Err() != nil {
			break
		}
		next <- name
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	return whole, bad, nil
}

// mend replaces what is bad from other repositories.
func (c *Checked) mend(spares []string) error {
	var left []Damage
	for _, d := range c.Bad {
		ok := false
		for _, dir := range spares {
			if spare := (Repository{dir: dir}); !ok && spare.checkObject(d.Object) == nil {
				err := spare.place(d.Object, c.repo, copied)
				if errors.Is(err, os.ErrNotExist) {
					continue // it was pruned just now
				}
				if err != nil {
					return fmt.Errorf("replace a damaged object of %s: %w", c.repo.dir, err)
				}
				ok = true
			}
		}
		if ok {
			c.Mended = append(c.Mended, d)
		} else {
			left = append(left, d)
		}
	}
	c.Bad = left
	return nil
}

// Shares reports whether what is bad is bad in another repository as well: files of
// both may be the same by hard links.
func (c *Checked) Shares(dir string) bool {
	return slices.ContainsFunc(c.Bad, func(d Damage) bool {
		err := Repository{dir: dir}.checkObject(d.Object)
		return err != nil && !errors.Is(err, os.ErrNotExist)
	})
}
