package scaffold

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
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

// flavourFile is a file of flavours/.
type flavourFile struct{ name, content string }

var extending = regexp.MustCompile(`(?m)^ +extends *[=:] *"?([A-Za-z0-9_.-]+)"?`)

// shippedFlavours are the files of a flavour that is part of the program and of those that
// it extends, as far as the project does not have them; none if there is none of the
// name, or the project does not use what is part of the program.
func shippedFlavours(p *config.Project, name string) []flavourFile {
	shipped := shippedFiles(p)
	var files []flavourFile
	for names := []string{name}; len(names) > 0; names = names[1:] {
		declared := regexp.MustCompile(`(?m)^(flavour "` + regexp.QuoteMeta(names[0]) + `"|  ` + regexp.QuoteMeta(names[0]) + `:)`)
		i := slices.IndexFunc(shipped, func(f flavourFile) bool { return declared.MatchString(f.content) })
		if i < 0 || slices.Contains(files, shipped[i]) || hasFlavour(p, names[0]) {
			continue
		}
		files = append(files, shipped[i])
		for _, m := range extending.FindAllStringSubmatch(shipped[i].content, -1) {
			names = append(names, m[1])
		}
	}
	return files
}

// shippedFiles are the files of flavours that are part of the program, if the project uses
// it.
func shippedFiles(p *config.Project) []flavourFile {
	var files []flavourFile
	for _, f := range p.Features {
		if f.Root == nil || f.Root.Name != config.Builtin {
			continue
		}
		entries, _ := fs.ReadDir(f.Root.FS, config.FlavoursDir)
		for _, e := range entries {
			if content, err := fs.ReadFile(f.Root.FS, config.FlavoursDir+"/"+e.Name()); err == nil {
				files = append(files, flavourFile{e.Name(), string(content)})
			}
		}
		break
	}
	return files
}

// Copies are the names by which [Copied] and [Flavour] write a copy: of the features that
// come from other trees, and of the flavours that are part of the program.
func Copies(p *config.Project) (features, flavours []string) {
	var builtin fs.FS
	for _, f := range p.SortedFeatures() {
		if f.Root == nil {
			continue
		}
		features = append(features, f.Name)
		if f.Root.Name == config.Builtin {
			builtin = f.Root.FS
		}
	}
	if builtin == nil {
		return features, nil
	}
	if shipped, _ := config.Load(builtin, config.Options{}); shipped != nil {
		for _, f := range shipped.Flavours {
			if !hasFlavour(p, f.Name) {
				flavours = append(flavours, f.Name)
			}
		}
	}
	return features, flavours
}

// hasFlavour reports that a project has a flavour, also one that cannot be built.
func hasFlavour(p *config.Project, name string) bool {
	return p.Unbuilt[name] != "" || slices.ContainsFunc(p.Flavours, func(f *config.Flavour) bool { return f.Name == name })
}
