package ostree

import (
	"os"
	"path/filepath"
	"strings"
)

// Stored is how many objects a repository has, with those that ostree is just about to
// put into it. It is for people: what cannot be read is not counted.
func (r Repository) Stored() int {
	n := 0
	r.stored(func(string) { n++ })
	return n
}

// Lacks is how many objects of another repository this one does not have. The
// repositories may be of different modes.
func (r Repository) Lacks(other Repository) int {
	have, n := map[string]bool{}, 0
	r.stored(func(name string) { have[name] = true })
	other.stored(func(name string) {
		if !have[name] {
			n++
		}
	})
	return n
}

// stored calls do with the name of each object; files are called the same, compressed or
// not.
func (r Repository) stored(do func(name string)) {
	// A transaction has its objects in a directory of its own until it ends.
	dirs := []string{"objects"}
	under, _ := os.ReadDir(filepath.Join(r.dir, "tmp"))
	for _, e := range under {
		if strings.HasPrefix(e.Name(), "staging-") {
			dirs = append(dirs, "tmp/"+e.Name())
		}
	}
	for _, dir := range dirs {
		dir = filepath.Join(r.dir, dir)
		firsts, _ := os.ReadDir(dir)
		for _, first := range firsts {
			if !first.IsDir() || len(first.Name()) != 2 {
				continue
			}
			rest, _ := os.ReadDir(filepath.Join(dir, first.Name()))
			for _, e := range rest {
				do(first.Name() + strings.TrimSuffix(e.Name(), "z"))
			}
		}
	}
}
