package scaffold

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
)

// Copied writes a copy of a feature of a used tree into a configuration tree, where it is
// used in place of that one, and returns the paths in the tree of the files, also with
// an error.
func Copied(tree string, f *config.Feature) (wrote []string, err error) {
	dir := filepath.Join(tree, config.FeaturesDir, f.Name)
	if _, err := os.Lstat(dir); err == nil {
		return nil, diag.Requestf("there is %s/%s already", config.FeaturesDir, f.Name)
	}
	from, err := config.Follow(f.Root.FS, strings.TrimPrefix(f.Dir, f.Root.Prefix))
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(f.Root.FS, from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, from)))
		switch {
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := fs.ReadLink(f.Root.FS, name)
			if err == nil {
				err = os.Symlink(target, to)
			}
			if err != nil {
				return err
			}
		default:
			if err := copyFile(f.Root.FS, name, to); err != nil {
				return err
			}
		}
		wrote = append(wrote, path.Join(config.FeaturesDir, f.Name, strings.TrimPrefix(name, from)))
		return nil
	})
	return wrote, err
}

// copyFile copies a file, and that it is executable.
func copyFile(from fs.FS, name, to string) error {
	content, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	if err := write(to, content); err != nil {
		return err
	}
	info, err := fs.Stat(from, name)
	if err == nil && info.Mode()&0o111 != 0 {
		err = os.Chmod(to, 0o755)
	}
	return err
}

// shippedFlavour is the content of the file of a flavour that is part of the program, by
// the file's name without its ending, and that name with its ending; "" if there is none,
// or the project does not use what is part of the program.
func shippedFlavour(p *config.Project, name string) (content, file string) {
	for _, f := range p.Features {
		if f.Root == nil || f.Root.Name != config.Builtin {
			continue
		}
		for _, ending := range []string{".hcl", ".yaml"} {
			if content, err := fs.ReadFile(f.Root.FS, config.FlavoursDir+"/"+name+ending); err == nil {
				return string(content), name + ending
			}
		}
		return "", ""
	}
	return "", ""
}
