package ostree

import "strings"

// Differences are the paths at which two trees, each "CONTENTS.META", are not
// the same, in order. What is below a directory that only one has goes without
// saying.
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
