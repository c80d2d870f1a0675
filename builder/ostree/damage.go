package ostree

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Damage is an object of a repository that has another digest than the one in its name.
type Damage struct {
	// Object is the object's name, SUM.KIND; Commit the newest commit that is
	// known to need it.
	Object, Commit string
	// Reason is what is wrong with it.
	Reason string
}

// Gist is an error without the paths that are said beside it.
func Gist(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// byObject sorts damages.
func byObject(ds []Damage) []Damage {
	slices.SortFunc(ds, func(a, b Damage) int { return strings.Compare(a.Object, b.Object) })
	return ds
}

func sortedDamages(m map[string]Damage) []Damage {
	var ds []Damage
	for d := range maps.Values(m) {
		ds = append(ds, d)
	}
	return byObject(ds)
}

// damagedHistory describes what can be done about damaged objects that nothing at
// hand is a copy of.
func damagedHistory(repo string, ds []Damage) error {
	return fmt.Errorf("the history in %s is damaged: %s. This build neither has nor makes the same object. "+
		"Put intact files there from a copy of the repository (a backup, a mirror, a tarball of it); or build again what that commit was made from; "+
		"or, if that commit is not the newest, give up that commit and all before it by removing its file below objects: the history then begins after it", repo, Describe(ds))
}

// Describe says in words which objects are damaged, the first few of them.
func Describe(ds []Damage) string {
	const most = 3
	var lines []string
	for i, d := range ds {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(ds)-most))
			break
		}
		lines = append(lines, fmt.Sprintf("%s of commit %.12s (%s)", ObjectPath(d.Object), d.Commit, d.Reason))
	}
	return strings.Join(lines, "; ")
}
