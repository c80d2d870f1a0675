package gardenlinux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/treefs"
)

// Clean implements [rules.Rules]: it removes what the newest build of a cname
// published, to which the link of that name leads, and what is kept of the cname
// itself.
func (r *Rules) Clean(root, name string, claim func(publish.Output) (func(), error)) (bool, error) {
	list, err := os.Readlink(filepath.Join(root, name))
	if err != nil {
		return false, nil
	}
	base, ok := strings.CutSuffix(list, listSuffix)
	if !ok || filepath.Base(list) != list {
		return false, fmt.Errorf("%s is a link to %s, which was not made by a build of a cname", filepath.Join(root, name), list)
	}
	// The longest name first: base-amd64-13 begins base-amd64-13-zz as well.
	for i := strings.LastIndexByte(base, '-'); i > 0; i = strings.LastIndexByte(base[:i], '-') {
		output := publish.PrivateOutput(root, outputKind, base[:i])
		if !treefs.Exists(output.Manifest()) && !output.MadeBefore() {
			continue
		}
		unlock, err := claim(output)
		if err != nil {
			return false, err
		}
		defer unlock()
		// A cname may begin another one, and a commit may have any name: the
		// manifest says whose the files are.
		if m, err := publish.ReadManifest(output); err != nil || !published(root, base, m) {
			continue
		}
		return true, removeListed(root, base, output)
	}
	return false, fmt.Errorf("%s: no manifest lists the files whose names begin with %s, so it is not known which of them to remove", name, filepath.Join(root, base+"."))
}

// published reports whether the artifacts of a manifest are those whose names begin with
// base. Some may have been removed by hand.
func published(root, base string, m *publish.Manifest) bool {
	found := len(m.Artifacts) == 0
	for _, a := range m.Artifacts {
		info, err := os.Stat(filepath.Join(root, base+"."+a.Name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || info.Mode().IsRegular() && info.Size() != a.Size {
			return false
		}
		found = true
	}
	return found
}

// removeListed removes the files whose names begin with base, what is private, and
// last, as one of them leads here, the links to the list.
func removeListed(root, base string, output publish.Output) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	var files, links []string
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		if strings.HasPrefix(e.Name(), base+".") {
			files = append(files, path)
		} else if list, err := os.Readlink(path); err == nil && list == base+listSuffix {
			links = append(links, path)
		}
	}
	for _, path := range slices.Concat(files, []string{output.Private}, links) {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}
