package ostree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

// deltaDirs are the directories of a repository with its static deltas, and with the lists of
// those that lead to a commit.
var deltaDirs = []string{"deltas", "delta-indexes"}

// DeltaParts are the files and directories of a repository with static deltas: those, the lists of
// them by the commits that they lead to, and the summary that has the checksums of both.
var DeltaParts = append(slices.Clone(deltaDirs), "summary")

// Before returns at most count ancestors of a commit, the newest first. They end where the history was cut off
// (ostree prune).
func (r Repository) Before(sum string, count int) ([]string, error) {
	var list []string
	for len(list) < count {
		c, err := r.Commit(sum)
		if err != nil {
			return nil, err
		}
		if sum = c.Parent; sum == "" || !treefs.Exists(filepath.Join(r.dir, ObjectPath(sum+".commit"))) || treefs.Exists(filepath.Join(r.dir, partialMark(sum))) {
			break
		}
		list = append(list, sum)
	}
	return list, nil
}

// SetDeltaTimes gives the static deltas of the repository a time, in seconds since 1970. The lists of them
// have to be made after that, because they have checksums.
func (r Repository) SetDeltaTimes(stamp int64) error {
	files, err := layer.Glob(r.dir, "deltas/*/*/"+superblock)
	if err != nil {
		return err
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := format.SetOSTreeDeltaTime(raw, stamp); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// deltaFiles lists the files of static deltas in a repository, as far as there are some: those of a delta before its
// superblock, which makes it one, and the lists last.
func (r Repository) deltaFiles() ([]string, error) {
	var files []string
	for _, dir := range deltaDirs {
		err := filepath.WalkDir(filepath.Join(r.dir, dir), func(file string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(r.dir, file)
			files = append(files, name)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	rank := func(name string) int {
		switch {
		case strings.HasPrefix(name, deltaDirs[1]):
			return 2
		case filepath.Base(name) == superblock:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(files, func(a, b string) int { return rank(a) - rank(b) })
	return files, nil
}

// removeFiles removes files of the repository, and directories that have become empty.
func (r Repository) removeFiles(names []string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(r.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			if os.Remove(filepath.Join(r.dir, dir)) != nil {
				break // not empty
			}
		}
	}
	return nil
}
