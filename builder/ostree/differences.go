package ostree

import (
	"maps"
	"slices"
	"strings"
)

// Differences are the paths at which two trees, each "CONTENTS.META", are not
// the same, in order. What is below a directory that only one has goes without
// saying.
func Differences(a Repository, before string, b Repository, now string) ([]string, error) {
	var paths []string
	var compare func(dir, one, two string) error
	compare = func(dir, one, two string) error {
		if one == two {
			return nil
		}
		x, err := a.dirtree(one)
		if err != nil {
			return err
		}
		y, err := b.dirtree(two)
		if err != nil {
			return err
		}
		for _, name := range union(x.Files, y.Files) {
			if x.Files[name] != y.Files[name] {
				paths = append(paths, dir+name)
			}
		}
		for _, name := range union(x.Dirs, y.Dirs) {
			if x.Metas[name] != y.Metas[name] {
				paths = append(paths, dir+name)
			}
			if x.Dirs[name] != "" && y.Dirs[name] != "" {
				if err := compare(dir+name+"/", x.Dirs[name], y.Dirs[name]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	one, _, _ := strings.Cut(before, ".")
	two, _, _ := strings.Cut(now, ".")
	err := compare("", one, two)
	slices.Sort(paths)
	return slices.Compact(paths), err
}

func union(a, b map[string]string) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
