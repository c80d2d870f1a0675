package bill

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/bom"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/extension"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// mostLicences is the size of the largest file with licences that is read.
const mostLicences = 4 << 20

// licenceOf reads a package's licences in a tree; none if their file was removed, or is too
// large.
func licenceOf(root *treefs.Root, db distro.Database, p distro.Package) (distro.Licence, error) {
	text, err := readRegular(root, db.LicenceFile(p), mostLicences)
	if err != nil || text == nil {
		return distro.Licence{}, err
	}
	return db.ReadLicence(strings.ToValidUTF8(string(text), "\ufffd")), nil
}

// readRegular reads a regular file of at most so many bytes; nil if it is not one, or does
// not exist.
func readRegular(root *treefs.Root, rel string, most int64) ([]byte, error) {
	f, err := root.Open(rel)
	if err != nil {
		return nil, absent(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return nil, err
	}
	return io.ReadAll(f)
}

// absent returns an error, but nil for one of a path that does not exist.
func absent(err error) error {
	for _, none := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ELOOP, syscall.ENXIO} {
		if errors.Is(err, none) {
			return nil
		}
	}
	return err
}

// filesOf lists the files that features bring and that the tree has, with the content that
// they have there. Of one that several features bring the last one's counts, as it did in
// the tree.
func filesOf(t *task.Task, name string, features []string) ([]bom.File, error) {
	at := t.Inputs["tree"]
	if t.Inputs["extended"] != "" {
		at = filepath.Join(at, name)
	}
	root, err := treefs.OpenRoot(at)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	found := map[string]bom.File{}
	for _, feature := range features {
		for _, from := range []struct{ by, dir string }{
			{"file.include", within(t.Sources["features/"+feature], "file.include")},
			{"exec.build", t.Inputs["built-"+feature]},
			{"generated", t.Sources[accounts.GeneratedSource(feature)]},
		} {
			paths, err := regularFiles(from.dir)
			if err != nil {
				return nil, err
			}
			for _, file := range paths {
				f := bom.File{Path: file, Feature: feature, By: from.by}
				there, err := hash(root, placesOf(t, name, file), &f)
				if err != nil {
					return nil, err
				}
				if there {
					found[file] = f
				}
			}
		}
	}
	files := slices.Collect(maps.Values(found))
	slices.SortFunc(files, func(a, b bom.File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// within returns the path of a file in a directory; "" without a directory.
func within(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

// placesOf returns the paths that a file may have in the finished tree, by its path before.
func placesOf(t *task.Task, name, file string) []string {
	if t.Inputs["extended"] == "" {
		return machine.Committed(file)
	}
	return []string{strings.TrimPrefix(file, "/"), path.Join(extension.Factory(name), file)}
}

// regularFiles returns the files below a directory, as absolute paths with it as the root.
func regularFiles(dir string) ([]string, error) {
	if dir == "" || !treefs.Exists(dir) {
		return nil, nil
	}
	var files []string
	return files, filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, filepath.ToSlash(strings.TrimPrefix(file, dir)))
		}
		return err
	})
}

// hash fills in the sums of the first of the places that is a file, and reports whether
// one is.
func hash(root *treefs.Root, places []string, f *bom.File) (bool, error) {
	for _, rel := range places {
		file, err := root.Open(rel)
		if err != nil {
			if err = absent(err); err != nil {
				return false, err
			}
			continue
		}
		one, two := sha1.New(), sha256.New()
		info, err := file.Stat()
		if err == nil && info.Mode().IsRegular() {
			_, err = io.Copy(io.MultiWriter(one, two), file)
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return false, err
		}
		if info.Mode().IsRegular() {
			f.SHA1, f.SHA256 = hex.EncodeToString(one.Sum(nil)), hex.EncodeToString(two.Sum(nil))
			return true, nil
		}
	}
	return false, nil
}
