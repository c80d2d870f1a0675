package cache

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Freed is what was removed to free space.
type Freed struct {
	Items int
	Bytes int64
}

// Usage is the space that each area takes, in bytes, and in how many items.
type Usage struct {
	Area
	Items int
	Bytes int64
}

// Usage describes what the cache holds, without what is being made.
func (c *Cache) Usage() (areas []Usage, total int64, err error) {
	s := c.readSizes()
	_, areas, total, err = c.scan(s)
	s.save(c)
	return areas, total, err
}

// scan lists all items but downloads, and sums all up by areas.
func (c *Cache) scan(s *sizes) (items []item, areas []Usage, total int64, err error) {
	items, err = c.results(s)
	others, oerr := c.others(s)
	if err = errors.Join(err, oerr); err != nil {
		return nil, nil, 0, err
	}
	items = append(items, others...)
	areas = []Usage{{Area: Results}, {Area: Downloads, Bytes: c.downloads(s)}}
	for _, i := range items {
		n := slices.IndexFunc(areas, func(u Usage) bool { return u.Area == i.area })
		if n < 0 {
			n, areas = len(areas), append(areas, Usage{Area: i.area})
		}
		areas[n].Items++
		areas[n].Bytes += i.bytes
	}
	for _, a := range areas {
		total += a.Bytes
	}
	return items, areas, total, nil
}

// Settle is what a build of a flavour does when it has ended, so that the cache
// keeps its budget: it holds all results of its plan (keys by steps), notes that
// they are of use and what they took, and shrinks the cache to limit bytes, if
// that is not negative. Of the steps in keep only the newest results stay.
func (c *Cache) Settle(flavour string, keys map[string]string, keep map[string]Keep, limit int64) (freed Freed, left int64, err error) {
	made := map[string]bool{}
	for _, key := range keys {
		there, err := c.Store.Hold(c.path(resultDir(key)))
		if err != nil {
			return freed, 0, err
		}
		if made[key] = there; there {
			c.Store.Touch(key)
		}
	}
	s := c.readSizes()
	defer func() { s.save(c) }()
	for step, k := range keep {
		if made[keys[step]] {
			s.note(k.Of+" "+step, keys[step])
		}
	}
	for step, k := range keep {
		if err := c.supersede(s, k.Of+" "+step, k.Newest); err != nil {
			return freed, 0, err
		}
	}
	queue, _, left, err := c.scan(s)
	if err != nil {
		return freed, left, err
	}
	for step, key := range keys {
		if size, ok := s.Dirs[resultDir(key)]; ok && s.Steps[flavour+" "+step] != size.Bytes {
			s.Steps[flavour+" "+step], s.news = size.Bytes, true
		}
	}
	if limit < 0 {
		return freed, left, nil
	}
	return c.shrink(queue, left, func(left int64) bool { return left <= limit })
}

// Keep is how many results of a step stay, of those made for Of: a flavour, or one of a certain tree.
type Keep struct {
	Of     string
	Newest int
}

// note notes that a step's newest result is that of key.
func (s *sizes) note(step, key string) {
	made := s.Made[step]
	if len(made) > 0 && made[0] == key {
		return
	}
	s.Made[step] = slices.Insert(slices.DeleteFunc(made, func(k string) bool { return k == key }), 0, key)
	s.news = true
}

// newest reports whether a result is the newest one of a step for anything. Flavours share steps, and
// one that was not built since then will need it.
func (s *sizes) newest(key string) bool {
	for _, made := range s.Made {
		if len(made) > 0 && made[0] == key {
			return true
		}
	}
	return false
}

// supersede removes a step's oldest results until so many are left, unless they are in use.
func (c *Cache) supersede(s *sizes, step string, kept int) error {
	made := s.Made[step]
	for len(made) > kept {
		last := len(made) - 1
		if !s.newest(made[last]) {
			if _, err := c.discard(item{area: Results, name: made[last]}, time.Now()); err != nil {
				return err
			}
		}
		made = made[:last]
		s.Made[step], s.news = made, true
	}
	return nil
}

// LastSizes returns what the results of a flavour's steps took in earlier builds,
// as far as it is known, without files that others have as well.
func (c *Cache) LastSizes(flavour string) map[string]int64 {
	sizes := map[string]int64{}
	for name, bytes := range c.readSizes().Steps {
		if step, ok := strings.CutPrefix(name, flavour+" "); ok {
			sizes[step] = bytes
		}
	}
	return sizes
}

// Download is where a cache has the package of a SHA-256, below its root.
func Download(sha256 string) string {
	return filepath.Join("packages", "sha256", sha256[:2], sha256)
}

// HasDownload reports whether a package of that SHA-256 is there.
func (c *Cache) HasDownload(sha256 string) bool {
	_, err := os.Lstat(c.path(Download(sha256)))
	return err == nil
}

// Shrink removes what was of use the longest ago, but nothing that somebody
// relies on, until enough says so, which is told how much is left. The plans of
// earlier builds stay: they take nothing.
func (c *Cache) Shrink(enough func(left int64) bool) (freed Freed, left int64, err error) {
	s := c.readSizes()
	defer func() { s.save(c) }()
	queue, _, left, err := c.scan(s)
	if err != nil {
		return freed, left, err
	}
	return c.shrink(queue, left, enough)
}

// shrink does the work of Shrink on all that a scan has found.
func (c *Cache) shrink(queue []item, left int64, enough func(left int64) bool) (freed Freed, _ int64, err error) {
	if enough(left) {
		return freed, left, nil
	}
	orphans, err := c.orphans(time.Now())
	if err != nil {
		return freed, left, err
	}
	queue = append(queue, orphans...)
	byUse := func(a, b item) int { return a.used.Compare(b.used) }
	slices.SortStableFunc(queue, byUse)
	for len(queue) > 0 && !enough(left) {
		next := queue[0]
		queue = queue[1:]
		if next.area.Name == "plans" || c.ours(next) {
			continue
		}
		idle := next.used
		if idle.IsZero() {
			idle = time.Now() // a lost result's record, whatever its time
		}
		gone, err := c.discard(next, idle)
		if err != nil {
			return freed, left, err
		}
		if !gone {
			continue
		}
		freed.Items++
		freed.Bytes += next.bytes
		left -= next.bytes
		if next.area != Results || !next.shared {
			continue
		}
		// The downloads that it had are nobody's now, and as old as it.
		if orphans, err = c.orphans(time.Now()); err != nil {
			return freed, left, err
		}
		for n := range orphans {
			orphans[n].used = next.used
		}
		queue = append(orphans, slices.DeleteFunc(queue, func(i item) bool { return i.area == Downloads })...)
	}
	return freed, left, nil
}

// Pruned describes what [Cache.Prune] did: by areas, and of how many results it
// removed how many.
type Pruned struct {
	Results, OfResults, Downloads, Others int
	// Useless were damaged, or made by another version.
	Useless int
	Bytes   int64
	// Kept is how many items stayed though they were old enough, as somebody
	// relies on them.
	Kept int
}

// ours reports whether indices, or what is remembered of them, were of use since
// this process began to plan. It needs them no more, but the next build does.
func (c *Cache) ours(i item) bool {
	const grain = time.Second // of the file system's clock
	return (i.area.Name == "apt" || i.area.Name == "resolved") && !c.planned.IsZero() && i.used.After(c.planned.Add(-grain))
}

// Prune removes what nobody used after the time idle and downloads that no
// result has; with all set, what is remembered of builds and of apt's answers,
// too. What somebody relies on stays.
func (c *Cache) Prune(idle time.Time, all bool) (p Pruned, err error) {
	if _, err := c.sweep(); err != nil {
		return p, err
	}
	useless, err := c.Store.Useless()
	if err != nil {
		return p, err
	}
	s := c.readSizes()
	items, _, _, err := c.scan(s)
	s.save(c)
	if err != nil {
		return p, err
	}
	for _, i := range items {
		if i.area == Results && slices.Contains(useless, i.name) {
			gone, err := c.discard(i, time.Now())
			if err != nil {
				return p, err
			}
			if gone {
				p.Useless++
				p.Bytes += i.bytes
			}
			continue
		}
		if i.area == Results {
			p.OfResults++
		}
		if i.used.After(idle) || !all && i.area.Name == "plans" {
			continue
		}
		if err := p.remove(c, i, idle); err != nil {
			return p, err
		}
	}
	orphans, err := c.orphans(time.Now())
	for _, i := range orphans {
		err = errors.Join(err, p.remove(c, i, idle))
	}
	return p, err
}

// remove removes an item and counts it.
func (p *Pruned) remove(c *Cache, i item, idle time.Time) error {
	gone, err := c.discard(i, idle)
	switch {
	case err != nil:
		return err
	case !gone:
		p.Kept++
		return nil
	case i.area == Results:
		p.Results++
	case i.area == Downloads:
		p.Downloads++
	default:
		p.Others++
	}
	p.Bytes += i.bytes
	return nil
}
