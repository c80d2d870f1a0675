package objects

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// Dir is what a directory object lists: checksums, in hexadecimal, by name.
type Dir struct {
	// Files are the file objects, links among them; Dirs the directory objects of
	// the directories, Metas the objects with their owners and modes.
	Files, Dirs, Metas map[string]string
}

// DirTree returns the object of a directory: a GVariant of the type (a(say)a(sayay)), see
// ostree-core.h (OSTREE_TREE_GVARIANT_FORMAT).
func DirTree(d Dir) ([]byte, error) {
	files, err := entries(d.Files)
	if err != nil {
		return nil, err
	}
	dirs, err := entries(d.Dirs, d.Metas)
	if err != nil {
		return nil, err
	}
	return WithOffsets(append(files, dirs...), len(files)), nil
}

// entries returns an array of a name and a checksum of each of the maps, sorted by name.
func entries(by ...map[string]string) ([]byte, error) {
	var elements [][]byte
	for _, name := range slices.Sorted(maps.Keys(by[0])) {
		e := append([]byte(name), 0)
		// The ends of all members except the last one, that of the first member last.
		var ends []int
		for _, sums := range by {
			ends = append(ends, len(e))
			sum, err := hex.DecodeString(sums[name])
			if err != nil || len(sum) != 32 {
				return nil, fmt.Errorf("%q has no checksum: %q", name, sums[name])
			}
			e = append(e, sum...)
		}
		slices.Reverse(ends)
		elements = append(elements, WithOffsets(e, ends...))
	}
	return array(elements), nil
}
