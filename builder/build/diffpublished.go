package build

import (
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/diag"
)

// published finds a ref or commit in the repositories of the output.
func (d *differ) published(rev string) (side, error) {
	name := strings.TrimRight(rev, "^")
	if name == "" {
		return side{}, d.meant(name, d.b.PublishedRefs())
	}
	var at []string
	var found []side
	for _, repo := range d.b.repositories() {
		dir := repo.Dir()
		sum, _, err := named(repo, dir, name)
		if err != nil {
			return side{}, err
		}
		if sum == "" {
			continue
		}
		s, err := d.ofRepository(rev, dir, rev)
		if err != nil {
			return side{}, err
		}
		if !slices.ContainsFunc(found, func(o side) bool { return o.Commit == s.Commit }) {
			found, at = append(found, s), append(at, relativeTo(dir)+"#"+rev)
		}
	}
	switch len(found) {
	case 0:
		return side{}, d.meant(name, d.b.PublishedRefs())
	case 1:
		return found[0], nil
	}
	return side{}, diag.Requestf("several repositories have %q; choose one: %s", rev, strings.Join(at, ", "))
}
