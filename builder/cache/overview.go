package cache

import (
	"cmp"
	"slices"

	"github.com/treewright/treewright/builder/layer"
)

// Overview is what there is to know of a cache.
type Overview struct {
	// Results are the results, the largest first.
	Results []layer.Entry
	Areas   []Usage
	// Used is what all takes, Limit what it may take (negative for no limit), and Free
	// what is free on the disk, in bytes.
	Used, Limit, Free int64
}

// Overview measures the cache.
func (c *Cache) Overview(b Budget) (o Overview, err error) {
	if o.Results, err = c.Store.List(true); err != nil {
		return o, err
	}
	slices.SortFunc(o.Results, func(a, b layer.Entry) int { return cmp.Compare(b.Size, a.Size) })
	if o.Areas, o.Used, err = c.Usage(); err != nil {
		return o, err
	}
	disk, err := DiskOf(c.Root)
	o.Limit, o.Free = b.Of(disk.Size), disk.Free
	return o, err
}
