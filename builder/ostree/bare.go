package ostree

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

// Deployable makes a commit of the repository, whose tree c has, the head of ref of a remote
// in the repository bare, which is empty and of mode bare: ostree deploys from it. The commit's
// history is not there. It is what `ostree pull-local` does, but files are copied from the tree,
// on all cores, and not uncompressed from their objects.
func (r Repository) Deployable(ctx context.Context, commit string, c *Contents, bare, remote, ref string) error {
	made, err := r.Commit(commit)
	if err != nil {
		return err
	}
	if made.Tree != c.Tree {
		return fmt.Errorf("the tree of commit %s is %s, not %s", commit, made.Tree, c.Tree)
	}
	to := Repository{dir: bare}
	names := slices.Concat(slices.Collect(maps.Keys(c.files)), slices.Collect(maps.Keys(c.plain)), []string{commit + ".commit"})
	if err := to.makePrefixes(names); err != nil {
		return err
	}
	if err := r.placeNew(commit+".commit", to, copied); err != nil {
		return err
	}
	err = layer.OnAllCores(len(names)-1, func(i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := names[i]
		if plain, ok := c.plain[name]; ok {
			return os.WriteFile(filepath.Join(bare, ObjectPath(name)), plain, 0o644)
		}
		return c.copy(c.files[name], filepath.Join(bare, ObjectPath(name[:sumLength]+".file")))
	})
	if err != nil {
		return err
	}
	head := filepath.Join(bare, "refs/remotes", remote, filepath.FromSlash(ref))
	if err := os.MkdirAll(filepath.Dir(head), 0o755); err != nil {
		return err
	}
	return os.WriteFile(head, []byte(commit+"\n"), 0o644)
}

// copy makes the object of a file in a repository of mode bare: a copy with owner, mode and
// extended attributes, of the time 0, which ostree does not give links.
func (c *Contents) copy(f file, to string) error {
	from := filepath.Join(c.dir, f.path)
	meta, err := c.metaOf(f.path, f.Node)
	if err != nil {
		return err
	}
	link := f.Mode&unix.S_IFMT == unix.S_IFLNK
	if link {
		err = os.Symlink(f.Target, to)
	} else {
		err = layer.Copy(from, to)
	}
	if err != nil {
		return err
	}
	if err := treefs.SetMetadata(to, int(f.UID), int(f.GID), f.Mode, meta.Xattrs); err != nil || link {
		return err
	}
	return treefs.SetTimes(to, 0, 0)
}
