package used

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

// Opener opens trees for one configuration tree.
type Opener struct {
	// Dir is the configuration tree, absolute, and Cache the directory of commits
	// that were fetched.
	Dir, Cache string
	// Offline keeps it from fetching any.
	Offline bool
	// Held keeps the commits that were opened from being removed.
	Held *layer.Holds
	// Before is called before something is written below Cache; it may be nil.
	Before func() (done func(), err error)
	// Copy is the directory that Dir is in, if Dir is in a copy of other files. Original is the
	// directory of those files. Relative paths that lead out of the copy begin at Original.
	Copy, Original string
	// Say gets what takes time.
	Say func(line string)
}

// Builtin is the tree that is part of the program.
var Builtin = sync.OnceValue(treewright.Tree)

// Uses is for [config.Options].
func (o *Opener) Uses() config.Uses {
	u := config.Uses{ID: o.Dir, Dir: o.Dir, Open: o.open}
	if real, err := filepath.EvalSymlinks(o.Dir); err == nil {
		u.ID = real
	}
	entries, _ := fs.ReadDir(Builtin(), config.FeaturesDir)
	for _, e := range entries {
		u.Builtin = append(u.Builtin, e.Name())
	}
	return u
}

// open opens what an entry of a tree means.
func (o *Opener) open(from *config.Root, u config.Use) (*config.Root, error) {
	switch u.Kind {
	case config.UseBuiltin:
		return &config.Root{ID: config.Builtin, FS: Builtin()}, nil
	case config.UseGit:
		tree, err := o.commit(u)
		if err != nil {
			return nil, err
		}
		return within(tree, u)
	}
	dir := filepath.FromSlash(u.Path)
	if !filepath.IsAbs(dir) {
		dir = o.original(filepath.Join(from.Dir, dir))
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, notThere(dir, err)
	}
	return directory(real, dir)
}

// original returns the directory beside Original for a directory beside the copy.
func (o *Opener) original(dir string) string {
	rel, err := filepath.Rel(o.Copy, dir)
	if o.Copy == "" || err != nil || filepath.IsLocal(rel) {
		return dir
	}
	return filepath.Join(o.Original, rel)
}

// within is the tree in a directory of a commit. Links lead nowhere out of the commit:
// what is there is not part of it.
func within(tree string, u config.Use) (*config.Root, error) {
	root, err := os.OpenRoot(tree)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	switch info, err := root.Stat(filepath.FromSlash(u.Dir)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("commit %s has no directory %s", u.Commit, u.Dir)
	case err != nil:
		return nil, fmt.Errorf("%s is not a directory of commit %s: %w", u.Dir, u.Commit, err)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file in commit %s", u.Dir, u.Commit)
	}
	return directory("git:"+u.Commit+":"+u.Dir, filepath.Join(tree, filepath.FromSlash(u.Dir)))
}

// directory is the tree in a directory.
func directory(id, dir string) (*config.Root, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, notThere(dir, err)
	}
	return &config.Root{ID: id, FS: treefs.New(dir), Dir: dir}, nil
}

func notThere(dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s", dir)
	case err != nil:
		return err
	}
	return fmt.Errorf("%s is not a directory", dir)
}
