package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/treewright/treewright/builder/layer"
)

// Area is a part of the cache.
type Area struct {
	Name string // its directory
	What string // for people
}

// Results are the area of the store, Downloads that of packages.
var (
	Results   = Area{"store/results", "results"}
	Downloads = Area{"packages", "downloaded packages"}
)

// areas are all others.
var areas = []Area{
	{"apt", "package indices"}, {"resolved", "resolved package sets"},
	{"sources", "snapshots of features"}, {"history", "downloaded histories"}, {"git", "trees from git"}, {"plans", "records of builds"},
}

// item is a part of the cache that can be removed by itself.
type item struct {
	area  Area
	name  string // below the area
	used  time.Time
	bytes int64
	// shared: it has files with names elsewhere, which are not in bytes.
	shared bool
}

// results lists what is in the store. What is not a result any more was used when
// time began.
func (c *Cache) results(s *sizes) ([]item, error) {
	keys, err := c.Store.Keys()
	if err != nil {
		return nil, err
	}
	items := make([]item, 0, len(keys))
	for _, key := range keys {
		used, sound := c.Store.Used(key)
		if !sound {
			used = time.Time{}
		}
		n := s.of(c, resultDir(key), false, layer.OwnUsage)
		items = append(items, item{Results, key, used, n.Bytes, n.Shared})
	}
	return items, nil
}

// others lists the areas of directories and files. Names with a dot are those of
// what is being made; see [Cache.sweep].
func (c *Cache) others(s *sizes) ([]item, error) {
	var items []item
	for _, area := range areas {
		entries, err := os.ReadDir(c.path(area.Name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			i := item{area: area, name: e.Name(), used: info.ModTime(), bytes: blocks(info)}
			if info.IsDir() {
				// What is in the others never changes.
				n := s.of(c, filepath.Join(area.Name, e.Name()), area.Name == "apt", layer.OwnUsage)
				i.bytes, i.shared = n.Bytes, n.Shared
			}
			if lock, err := os.Stat(c.path(area.Name, e.Name(), "lock")); err == nil && area.Name == "apt" {
				i.used = lock.ModTime()
			}
			items = append(items, i)
		}
	}
	return items, nil
}

// downloads returns the space that downloads take. Those that results have as
// well count here and not there.
func (c *Cache) downloads(s *sizes) int64 {
	var total int64
	entries, _ := os.ReadDir(c.path("packages", "sha256"))
	for _, e := range entries {
		total += s.of(c, filepath.Join("packages", "sha256", e.Name()), true, func(dir string) (int64, bool) {
			return layer.DiskUsage(dir), false
		}).Bytes
	}
	return total
}

// orphans lists downloads that no result has any more. A download is of use last
// when a link to it is made or removed: that sets its ctime.
func (c *Cache) orphans(now time.Time) ([]item, error) {
	files, err := layer.Glob(c.path("packages"), "sha256/*/*")
	if err != nil {
		return nil, err
	}
	var items []item
	for _, path := range files {
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		st := info.Sys().(*syscall.Stat_t)
		if st.Nlink > 1 {
			continue
		}
		i := item{area: Downloads, used: time.Unix(st.Ctim.Unix()), bytes: blocks(info)}
		// The mtime does not count: a download gets the time of its package before it gets its name.
		if strings.HasPrefix(filepath.Base(path), ".") && now.Sub(i.used) < abandoned {
			continue // another program downloads it
		}
		if i.name, err = filepath.Rel(c.path("packages"), path); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, nil
}

// abandoned is the time after which a download that receives nothing has ended.
// Downloads give up long before.
const abandoned = time.Hour

func blocks(info fs.FileInfo) int64 { return info.Sys().(*syscall.Stat_t).Blocks * 512 }

// discard removes an item unless somebody relies on it, or has used it after the
// time idle, and reports whether it did.
func (c *Cache) discard(i item, idle time.Time) (bool, error) {
	switch i.area {
	case Results:
		return c.Store.Remove(i.name, idle)
	case Downloads:
		// Who links it meanwhile has it for good, and who comes later downloads it
		// again.
		return removed(os.Remove(c.path("packages", i.name)))
	}
	// Not while somebody plans: he may have found it.
	unlock, alone, err := layer.TryLockFile(c.path(planningFile))
	if err != nil || !alone {
		return false, err
	}
	defer unlock()
	path := c.path(i.area.Name, i.name)
	info, err := os.Lstat(path)
	if err != nil {
		return false, nil
	}
	if !info.IsDir() {
		return removed(os.Remove(path))
	}
	return layer.Discard(path, c.path(i.area.Name), func() bool {
		now, err := os.Lstat(path)
		return err == nil && (i.area.Name == "apt" || !now.ModTime().After(idle))
	})
}

func removed(err error) (bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// sweep removes what killed processes left half-made, if nobody plans now: then
// nobody makes any of it. It reports whether it could.
func (c *Cache) sweep() (bool, error) {
	if _, err := c.Store.Sweep(); err != nil {
		return false, err
	}
	unlock, alone, err := layer.TryLockFile(c.path(planningFile))
	if err != nil || !alone {
		return false, err
	}
	defer unlock()
	for _, area := range areas {
		left, err := layer.Glob(c.path(area.Name), ".*")
		if err != nil {
			return false, err
		}
		for _, path := range left {
			if err := layer.RemoveAll(path); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}
