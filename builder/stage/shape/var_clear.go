package shape

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/origin"
)

// PackagingState is what programs that install packages, or that they start,
// keep in /var, with patterns (path.Match). Much of it has other bytes each
// time. It is removed, with all below it, no matter who ran those programs; only what
// file.include or exec.build brought by that name stays.
func PackagingState(d distro.Distro) []string { return append(d.Leavings(), leavings...) }

// leavings are what programs leave in /var that all families have.
var leavings = []string{
	"lib/dracut", "lib/dbus/machine-id", "lib/systemd/catalog",
	"cache/ldconfig/*", "cache/man/*", "cache/fontconfig/*",
	"log/fontconfig.log", "log/dracut.log",
	"log/lastlog", "log/faillog", "log/wtmp", "log/btmp", "log/tallylog",
}

// PackagesState is removed if nothing but packages had a hand in it; else all
// of it stays, as its parts belong together.
var PackagesState = []string{"lib/flatpak"}

// Building are directories in which packages' files are of no use on a machine.
// What scripts leave there is a trace of the build, except for caches: those are
// made on purpose.
var Building = []string{"cache", "log", "tmp", "backups"}

// clearVar removes from /var what no machine should start with: the state of
// packaging, given by patterns, and packages' caches, logs and temporary files. Directories stay.
// What a feature brought stays too; where something of a script's goes, warn
// says so.
func clearVar(tree string, packaging []string, from *origin.Origins, warn func(string, ...any)) error {
	for _, dir := range PackagesState {
		if from.Below("var/" + dir) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(tree, "var", dir)); err != nil {
			return fmt.Errorf("clear /var/%s: %w", dir, err)
		}
	}
	for _, pattern := range packaging {
		found, err := layer.Glob(filepath.Join(tree, "var"), pattern)
		if err != nil {
			return err
		}
		if !strings.Contains(pattern, "*") {
			// Glob does not find a link that leads nowhere.
			found = []string{filepath.Join(tree, "var", pattern)}
		}
		for _, file := range found {
			if err := removeUnless(tree, file, from.Brought); err != nil {
				return fmt.Errorf("clear %s: %w", strings.TrimPrefix(file, tree), err)
			}
		}
	}
	var traces []string
	for _, dir := range Building {
		err := eachFile(filepath.Join(tree, "var", dir), func(file string) error {
			rel := strings.TrimPrefix(file, tree+"/")
			if from.Brought[rel] || dir == "cache" && from.Scripted[rel] {
				return nil
			}
			if from.Scripted[rel] {
				traces = append(traces, "/"+rel)
			}
			return os.Remove(file)
		})
		if err != nil {
			return fmt.Errorf("clear /var/%s: %w", dir, err)
		}
	}
	slices.Sort(traces)
	for _, dir := range slices.Compact(eachDir(traces)) {
		files := namesIn(dir, traces)
		warn("%s: scripts of features left %s there, which is treated as a left-over of the build and left out; for a machine, put files there by file.include or by a rule in /usr/lib/tmpfiles.d", dir, shortList(files))
	}
	return nil
}

// eachDir returns the directories of sorted paths.
func eachDir(files []string) []string {
	dirs := make([]string, len(files))
	for i, f := range files {
		dirs[i] = path.Dir(f)
	}
	slices.Sort(dirs)
	return dirs
}

// namesIn returns the names of those files that are in dir itself.
func namesIn(dir string, files []string) []string {
	var names []string
	for _, f := range files {
		if path.Dir(f) == dir {
			names = append(names, path.Base(f))
		}
	}
	return names
}

// shortList names some of many.
func shortList(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// removeUnless removes a file, or a directory with all in it that is not kept.
func removeUnless(tree, file string, keep map[string]bool) error {
	rel := func(p string) string { return strings.TrimPrefix(p, tree+"/") }
	var dirs []string
	err := filepath.WalkDir(file, func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir():
			dirs = append(dirs, p)
			return nil
		case keep[rel(p)]:
			return nil
		}
		return os.Remove(p)
	})
	if err != nil {
		return err
	}
	for _, dir := range slices.Backward(dirs) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		if len(entries) == 0 && !keep[rel(dir)] {
			if err := os.Remove(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachFile visits all below a directory, if it is there, but directories.
func eachFile(dir string, visit func(file string) error) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		return visit(p)
	})
}
