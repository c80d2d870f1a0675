package ostree

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/treefs"
)

// Parent is the commit that a new one follows.
type Parent struct {
	// Version is what its metadata say, Tree its contents and metadata as in
	// [format.OSTreeCommit], and Stamp its time in seconds since 1970. They are
	// zero for a first commit.
	Version, Tree string
	Stamp         int64
	// Made is the commit that the step is to make, if that is known.
	Made string
	// Lost is what is damaged in its history.
	Lost []Damage
}

// Inherit copies the repository dir, that was found, into out, for the commit of
// ref that is to follow newest ("" for the first one). It leaves out the objects
// that are bad.
func Inherit(dir string, out Repository, ref, newest string, bad []string) (Parent, error) {
	history, err := Open(dir)
	if err != nil {
		return Parent{}, err
	}
	refs, err := history.Refs()
	if err != nil {
		return Parent{}, err
	}
	var parent Parent
	if head := refs[ref]; head != newest {
		// The head may be this very step's, whose result was damaged since.
		c, err := history.Commit(head)
		if err != nil || c.Parent != newest {
			return Parent{}, fmt.Errorf("its newest commit was %s when the build began, and is %s now; build again", orNone(newest), orNone(head))
		}
		parent.Made = head
		delete(refs, ref)
		if newest != "" {
			refs[ref] = newest
		}
	}
	skip := map[string]bool{}
	for _, name := range bad {
		skip[name] = true
	}
	if parent.Lost, err = history.copyObjects(out, refs, skip); err != nil {
		return Parent{}, err
	}
	for name, sum := range refs {
		file := filepath.Join(out.dir, "refs/heads", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return Parent{}, err
		}
		if err := os.WriteFile(file, []byte(sum+"\n"), 0o644); err != nil {
			return Parent{}, err
		}
	}
	if newest == "" {
		return parent, nil
	}
	c, err := out.Commit(newest)
	if err != nil {
		return Parent{}, err
	}
	parent.Version, parent.Tree, parent.Stamp = c.Metadata["version"], c.Tree, c.Timestamp
	return parent, nil
}

func orNone(commit string) string {
	if commit == "" {
		return "none"
	}
	return commit
}

// Complete makes sure that nothing of what was lost in the history is missing
// now.
func (r Repository) Complete(history string, lost []Damage) error {
	refs, err := r.Refs()
	if err != nil {
		return err
	}
	w := r.reach(refs, nil)
	left := map[string]Damage{}
	for _, d := range append(lost, w.lost...) {
		if !treefs.Exists(filepath.Join(r.dir, ObjectPath(d.Object))) {
			left[d.Object] = d
		}
	}
	for _, name := range w.objects {
		if _, known := left[name]; !known && !treefs.Exists(filepath.Join(r.dir, ObjectPath(name))) {
			left[name] = Damage{Object: name, Commit: w.needs[name], Reason: fs.ErrNotExist.Error()}
		}
	}
	if len(left) > 0 {
		return damagedHistory(history, sortedDamages(left))
	}
	return nil
}
