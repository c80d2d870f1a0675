package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

// comparison compares the second build with the first one.
type comparison struct {
	*request
	builder *build.Builder
	made    *build.Made
	before  *layer.Store
	public  string
}

func (c *comparison) compare(ctx context.Context) (*reply, error) {
	found := &reply{Replanned: []string{}, Origins: []Origin{}}
	names, err := c.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		a, err := c.artifact(name)
		if err != nil {
			return nil, err
		}
		found.Artifacts = append(found.Artifacts, a)
	}
	first, err := publish.ReadManifest(c.made.Subject.Output(c.FirstRoot))
	if err != nil {
		return nil, err
	}
	differs := slices.ContainsFunc(found.Artifacts, func(a Artifact) bool { return !a.Same })
	return found, c.explain(ctx, first, found, differs)
}

// names are the names of all files in the public directories of both builds.
func (c *comparison) names() ([]string, error) {
	all := map[string]bool{}
	for _, dir := range []string{c.First, c.public} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			all[e.Name()] = true
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

// artifact compares one artifact.
func (c *comparison) artifact(name string) (Artifact, error) {
	a := Artifact{Name: name, Kind: "file"}
	for _, m := range c.made.Manifest.Artifacts {
		if m.Name == name {
			a.Kind = string(m.Kind)
		}
	}
	for _, s := range c.made.Graph.Steps() {
		for _, made := range s.Artifacts {
			if made.Name == name && made.Kind != plan.DeltasArtifact {
				a.Step = s.ID
			}
		}
	}
	files, err := compareTrees(filepath.Join(c.First, name), filepath.Join(c.public, name))
	if err != nil {
		return a, err
	}
	a.Same = len(files) == 0
	a.Files = files[:min(len(files), mostFiles)]
	a.More = len(files) - len(a.Files)
	return a, nil
}

// passing are files in a repository's directory that are not part of the repository: its
// lock, and what is being made.
var passing = []string{".lock", "tmp", "state"}

// compareTrees compares two files, or two directories with all that is in them.
func compareTrees(first, second string) ([]FileDifference, error) {
	before, err1 := listed(first)
	after, err2 := listed(second)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("compare %s: %w", first, err)
	}
	var found []FileDifference
	for path, info := range before {
		there := after[path]
		if there == nil {
			found = append(found, FileDifference{Path: path, How: "is missing in the second build"})
			continue
		}
		how, bytes, err := compareFiles(filepath.Join(first, path), info, filepath.Join(second, path), there)
		if err != nil {
			return nil, err
		}
		if how != "" {
			found = append(found, FileDifference{path, how, bytes})
		}
	}
	for path := range after {
		if before[path] == nil {
			found = append(found, FileDifference{Path: path, How: "is in the second build only"})
		}
	}
	slices.SortFunc(found, func(a, b FileDifference) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}

// listed are the files at and below a path, by their paths relative to it; none if it does
// not exist.
func listed(root string) (map[string]fs.FileInfo, error) {
	files := map[string]fs.FileInfo{}
	if _, err := os.Lstat(root); os.IsNotExist(err) {
		return files, nil
	}
	return files, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if slices.Contains(passing, rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		files[rel], err = d.Info()
		return err
	})
}

// compareFiles returns how two files differ; "" if they do not.
func compareFiles(first string, a fs.FileInfo, second string, b fs.FileInfo) (string, *Bytes, error) {
	if a.Mode() != b.Mode() {
		return fmt.Sprintf("has the mode %s, then %s", a.Mode(), b.Mode()), nil, nil
	}
	if was, is := owner(a), owner(b); was != is {
		return fmt.Sprintf("is of %s, then of %s", was, is), nil, nil
	}
	switch {
	case a.Mode()&fs.ModeSymlink != 0:
		was, err1 := os.Readlink(first)
		is, err2 := os.Readlink(second)
		if err := errors.Join(err1, err2); err != nil {
			return "", nil, fmt.Errorf("compare %s: %w", first, err)
		}
		if was != is {
			return fmt.Sprintf("leads to %q, then to %q", was, is), nil, nil
		}
	case a.Mode().IsRegular():
		bytes, err := compareContent(first, second)
		if err != nil || bytes == nil {
			return "", nil, err
		}
		return bytes.String(), bytes, nil
	}
	return "", nil, nil
}

// owner returns the numbers of a file's user and group, UID:GID.
func owner(info fs.FileInfo) string {
	st := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d", st.Uid, st.Gid)
}
