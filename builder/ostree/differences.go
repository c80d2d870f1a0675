package ostree

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/objects"
)

// Differences are the paths at which two trees, each "CONTENTS.META", are not
// the same, in order. What is below a directory that only one has is left out.
func Differences(a Repository, before string, b Repository, now string) ([]string, error) {
	tree := func(r Repository, ids string) Tree {
		contents, _, _ := strings.Cut(ids, ".") // the owner of the root is not of interest
		return Tree{r, Entry{Dir: true, Sum: contents}}
	}
	changes, err := compare(tree(a, before), tree(b, now), false)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, c := range changes {
		paths = append(paths, c.Path)
	}
	return paths, nil
}

// Changed is a path at which two trees differ; the entry of a tree that does not have it
// is nil.
type Changed struct {
	Path          string
	Before, After *Entry
}

// Compare returns the paths at which two trees are not the same, in order, with all that
// is in directories that only one of them has. Directories that are equal are not read.
func Compare(before, after Tree) ([]Changed, error) { return compare(before, after, true) }

// pair is a directory of two trees, "" in one that does not have it.
type pair struct{ dir, one, two string }

// mostChanged is more than the entries of any system. Objects can lead to each other in so many
// ways that a small repository has a tree without end.
const mostChanged = 5_000_000

func compare(before, after Tree, whole bool) ([]Changed, error) {
	var all []Changed
	if before.root.Meta != after.root.Meta {
		all = append(all, Changed{"", &before.root, &after.root})
	}
	level := []pair{{"", before.root.Sum, after.root.Sum}}
	for depth := 0; len(level) > 0; depth++ {
		if depth > deepest {
			return nil, errDeep
		}
		found := make([][]Changed, len(level))
		below := make([][]pair, len(level))
		err := EachOf(len(level), before, after, func(i int) (err error) {
			found[i], below[i], err = compareDir(before, after, level[i], whole)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, slices.Concat(found...)...)
		if len(all) > mostChanged {
			return nil, fmt.Errorf("the trees differ at more than %d paths", mostChanged)
		}
		level = slices.Concat(below...)
	}
	slices.SortFunc(all, func(x, y Changed) int { return strings.Compare(x.Path, y.Path) })
	return all, nil
}

// compareDir compares one directory, and returns which of those below it are to be compared.
func compareDir(before, after Tree, p pair, whole bool) (found []Changed, below []pair, err error) {
	if p.one == p.two {
		return nil, nil, nil
	}
	x, y := &objects.Dir{}, &objects.Dir{}
	if p.one != "" {
		if x, err = before.dir(p.one); err != nil {
			return nil, nil, err
		}
	}
	if p.two != "" {
		if y, err = after.dir(p.two); err != nil {
			return nil, nil, err
		}
	}
	was, is := entriesOf(x), entriesOf(y)
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		at := path.Join(p.dir, name)
		one, two := in(was, name), in(is, name)
		// What is in a directory that both have differs by itself.
		if one == nil || two == nil || one.Dir != two.Dir || one.Meta != two.Meta || !one.Dir && one.Sum != two.Sum {
			found = append(found, Changed{at, one, two})
		}
		if x.Dirs[name] != "" && y.Dirs[name] != "" || whole && x.Dirs[name]+y.Dirs[name] != "" {
			below = append(below, pair{at, x.Dirs[name], y.Dirs[name]})
		}
	}
	return found, below, nil
}
