package ostree

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

// How an object is placed in another repository.
type placing int

const (
	linked placing = iota // a hard link, where that is possible
	copied
)

// place puts an object of r into the repository to, in place of what may be
// there. Objects that lead to others, and those without which nothing can be
// planned, are copied: what damages one file then leaves another to mend it
// from. All others are most of a repository; two names for one file take no space.
func (r Repository) place(name string, to Repository, how placing) error {
	from, target := filepath.Join(r.dir, ObjectPath(name)), filepath.Join(to.dir, ObjectPath(name))
	if how == copied {
		return to.take(from, ObjectPath(name))
	}
	err := os.Link(from, target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && treefs.Exists(from) && !treefs.Exists(filepath.Dir(target)):
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return r.place(name, to, how)
	case errors.Is(err, fs.ErrExist):
		tmp := filepath.Join(to.dir, stagedFiles, "object")
		if err := os.MkdirAll(filepath.Dir(tmp), 0o755); err != nil {
			return err
		}
		if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Link(from, tmp); err == nil {
			return os.Rename(tmp, target)
		}
	case err == nil:
		return nil
	}
	return to.take(from, ObjectPath(name))
}

// placeNew is place into a repository that does not have the object, and that is not read
// before it is whole. The object's directory is there.
func (r Repository) placeNew(name string, to Repository, how placing) error {
	from, target := filepath.Join(r.dir, ObjectPath(name)), filepath.Join(to.dir, ObjectPath(name))
	if how == linked {
		if err := os.Link(from, target); err == nil {
			return nil
		}
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// makePrefixes makes the directories of objects.
func (r Repository) makePrefixes(names []string) error {
	made := map[string]bool{}
	for _, name := range names {
		if dir := filepath.Dir(ObjectPath(name)); !made[dir] {
			if err := os.MkdirAll(filepath.Join(r.dir, dir), 0o755); err != nil {
				return err
			}
			made[dir] = true
		}
	}
	return nil
}

// errDamaged is why an object is left out that is known to be damaged.
var errDamaged = errors.New("damaged")

// stagedFiles is where files are that are to get their names in a repository by
// rename. What an interrupted build leaves there means nothing to anybody.
const stagedFiles = "tmp/treewright"

// take copies a file to the name name in the repository, over what is there.
func (r Repository) take(from, name string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	dir, target := filepath.Join(r.dir, stagedFiles), filepath.Join(r.dir, name)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(filepath.Dir(target), 0o755)); err != nil {
		return err
	}
	out, err := os.CreateTemp(dir, "file-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), target)
}

// copyObjects puts into the repository to, which has none of them, the objects
// that refs lead to. It leaves out what is in skip, what is not there, and what
// only that leads to, and returns a list of the first two.
func (r Repository) copyObjects(to Repository, refs map[string]string, skip map[string]bool) ([]Damage, error) {
	w := r.reach(refs, nil)
	how := w.howToPlace(refs)
	if err := to.makePrefixes(w.objects); err != nil {
		return nil, err
	}
	// Each on its own: most of the time goes to the file system, which makes files on all cores.
	gone := make([]error, len(w.objects))
	err := layer.OnAllCores(len(w.objects), func(i int) error {
		name := w.objects[i]
		if skip[name] {
			gone[i] = errDamaged
			return nil
		}
		err := r.placeNew(name, to, how(name))
		if errors.Is(err, fs.ErrNotExist) {
			gone[i], err = err, nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	lost := w.lost
	for i, err := range gone {
		if err != nil {
			name := w.objects[i]
			lost = append(lost, Damage{Object: name, Commit: w.needs[name], Reason: Gist(err)})
		}
	}
	for _, sum := range w.partial {
		if err := to.take(filepath.Join(r.dir, partialMark(sum)), partialMark(sum)); err != nil {
			return nil, err
		}
	}
	return lost, os.RemoveAll(filepath.Join(to.dir, stagedFiles))
}

// howToPlace describes how each object of a repository is placed elsewhere.
func (w *reach) howToPlace(refs map[string]string) func(name string) placing {
	accounts := map[string]bool{}
	if len(w.objects) > 0 {
		for _, head := range refs {
			for _, name := range w.repo.accountObjects(head) {
				accounts[name] = true
			}
		}
	}
	return func(name string) placing {
		if accounts[name] || !strings.HasSuffix(name, ".filez") {
			return copied
		}
		return linked
	}
}
