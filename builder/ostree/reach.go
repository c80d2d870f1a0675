package ostree

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/treefs"
)

// reach is what refs lead to in a repository.
type reach struct {
	repo Repository
	// closed says of a commit that it needs no look: what it leads to is known.
	closed func(commit string) bool
	// objects are the names of all objects, SUM.KIND, and needs the newest commit
	// that leads to each.
	objects []string
	needs   map[string]string
	// partial are commits that are here without their trees, by the mark that
	// ostree leaves in such a case.
	partial []string
	// lost are objects that lead to others and cannot be read.
	lost []Damage
}

// reach walks from refs over all commits and trees, past what closed says to be
// known (nil: nothing is). It reads no content of files. History ends where a
// commit's parent is not there: it was cut off by `ostree prune`.
func (r Repository) reach(refs map[string]string, closed func(string) bool) *reach {
	w := &reach{repo: r, closed: closed, needs: map[string]string{}}
	if closed == nil {
		w.closed = func(string) bool { return false }
	}
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		w.history(refs[ref])
	}
	return w
}

func (w *reach) history(head string) {
	for sum := head; sum != "" && !w.closed(sum); {
		if w.needs[sum+".commit"] != "" {
			return
		}
		c, err := w.repo.Commit(sum)
		if errors.Is(err, fs.ErrNotExist) && sum != head {
			return
		}
		if err != nil {
			w.lose(sum+".commit", sum, err)
			return
		}
		w.add(sum+".commit", sum)
		if treefs.Exists(filepath.Join(w.repo.dir, object(sum, detached))) {
			w.add(sum+"."+detached, sum)
		}
		if treefs.Exists(filepath.Join(w.repo.dir, partialMark(sum))) {
			w.partial = append(w.partial, sum)
		} else {
			contents, meta, _ := strings.Cut(c.Tree, ".")
			w.add(meta+".dirmeta", sum)
			w.tree(contents, sum)
		}
		sum = c.Parent
	}
}

func (w *reach) tree(sum, commit string) {
	name := sum + ".dirtree"
	if w.needs[name] != "" {
		return
	}
	dir, err := w.repo.dirtree(sum)
	if err != nil {
		w.lose(name, commit, err)
		return
	}
	w.add(name, commit)
	for _, file := range dir.Files {
		w.add(file+".filez", commit)
	}
	for _, meta := range dir.Metas {
		w.add(meta+".dirmeta", commit)
	}
	for _, sub := range dir.Dirs {
		w.tree(sub, commit)
	}
}

func (w *reach) add(name, commit string) {
	if w.needs[name] == "" {
		w.needs[name] = commit
		w.objects = append(w.objects, name)
	}
}

func (w *reach) lose(name, commit string, err error) {
	w.needs[name] = commit
	w.lost = append(w.lost, Damage{Object: name, Commit: commit, Reason: Gist(err)})
}

// checkObject reads an object and says what is wrong with it.
func (r Repository) checkObject(name string) error {
	f, err := os.Open(filepath.Join(r.dir, ObjectPath(name)))
	if err != nil {
		return err
	}
	defer f.Close()
	sum, kind, _ := strings.Cut(name, ".")
	if kind == detached {
		_, err := readDetached(f)
		return err
	}
	return format.CheckOSTreeObject(f, sum, kind)
}
