package treefs

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// AbsoluteLinks rewrites the relative links in what is at at, or at itself,
// that lead out of it: from another place they would lead elsewhere. name is
// where it is by its old name.
func AbsoluteLinks(tree, at, name string) error {
	root := filepath.Join(tree, at)
	return EachLink(root, func(link, target string) (string, error) {
		if path.IsAbs(target) {
			return target, nil
		}
		from := path.Join(name, filepath.ToSlash(strings.TrimPrefix(link, root)))
		leads := path.Join(path.Dir(from), target)
		if leads == name && from != name || strings.HasPrefix(leads, name+"/") {
			return target, nil
		}
		return leads, nil
	})
}

// EachLink gives each link below dir, or dir itself, the target that change
// returns.
func EachLink(dir string, change func(link, target string) (string, error)) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.Type() != fs.ModeSymlink {
			return err
		}
		target, err := os.Readlink(p)
		if err != nil {
			return err
		}
		changed, err := change(p, target)
		if err != nil || changed == target {
			return err
		}
		if err := os.Remove(p); err != nil {
			return err
		}
		return os.Symlink(changed, p)
	})
}
