package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Output has the directories for the files of a build.
type Output struct {
	// Public holds artifacts and their SHA256SUMS, and no other files: a web
	// server can publish all of it.
	Public string
	// Private holds the manifest, logs, locks, and the disks of machines.
	Private string
	root    string
	// before is the directory where earlier versions had the private files.
	before string
}

// OutputOf returns the directories of a flavour's files below root.
func OutputOf(root, flavour string) Output {
	public := filepath.Join(root, flavour)
	return Output{Public: public, Private: filepath.Join(root, privateDir, flavour), root: root, before: public}
}

// PrivateOutput returns the directories for files that users get only under other names:
// below root, in a directory of the kind kind.
func PrivateOutput(root, kind, name string) Output {
	dir := filepath.Join(root, privateDir, kind, name)
	return Output{Public: dir, Private: dir, root: root, before: filepath.Join(root, kind, name)}
}

// Root is the directory of all output.
func (o Output) Root() string { return o.root }

// Logs is the directory of the steps' logs.
func (o Output) Logs() string { return filepath.Join(o.Private, logsDir) }

// record is the path of the record of a published artifact.
func (o Output) record(name string) string { return filepath.Join(o.Records(), name+".json") }

// Records is the directory of the records of published artifacts.
func (o Output) Records() string { return filepath.Join(o.Private, "published") }

// Manifest is the path of the manifest.
func (o Output) Manifest() string { return filepath.Join(o.Private, ManifestName) }

// Lock is the path of the file that is locked while a process writes here.
func (o Output) Lock() string { return filepath.Join(o.Private, lockName) }

// Forget removes the directories if they do not have files except the lock. The caller has the
// lock, which is removed with them.
func (o Output) Forget() {
	for _, dir := range []string{o.Public, o.Private} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.Name() != lockName {
				return
			}
		}
	}
	_ = os.Remove(o.Lock())
	// They do no harm, so errors are ignored.
	for _, dir := range []string{o.Public, o.Private} {
		_ = os.Remove(dir)
	}
}

// SweepPrivate removes outputs of the kind kind in root that are older than a time, unless a process has their lock.
func SweepPrivate(root, kind string, before time.Time) error {
	dir := filepath.Join(root, privateDir, kind)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		info, ierr := e.Info()
		if err != nil || ierr != nil || info.ModTime().After(before) {
			continue
		}
		unlock, ok, lerr := layer.TryLockFile(filepath.Join(dir, e.Name(), lockName))
		if lerr != nil || !ok {
			continue
		}
		err = layer.RemoveAll(filepath.Join(dir, e.Name()))
		unlock()
	}
	return err
}

// Empty removes all files but the lock, which the caller has.
func (o Output) Empty() error {
	var errs []error
	for _, dir := range []string{o.Public, o.Private} {
		entries, err := os.ReadDir(dir)
		errs = append(errs, err)
		for _, e := range entries {
			if e.Name() != lockName {
				errs = append(errs, layer.RemoveAll(filepath.Join(dir, e.Name())))
			}
		}
	}
	return errors.Join(errs...)
}

// Make makes the directories.
func (o Output) Make() error {
	if err := os.MkdirAll(o.Public, 0o755); err != nil {
		return fmt.Errorf("make the output: %w", diag.Directory("the output", o.root, "--output", err))
	}
	private := filepath.Join(o.root, privateDir)
	if err := os.MkdirAll(private, 0o700); err != nil {
		return fmt.Errorf("make the output: %w", err)
	}
	if err := os.Chmod(private, 0o700); err != nil {
		return fmt.Errorf("make the output: %w", err)
	}
	if err := os.MkdirAll(o.Private, 0o755); err != nil {
		return fmt.Errorf("make the output: %w", err)
	}
	return nil
}

// MadeBefore reports whether an earlier version, which had one directory for all,
// has left files that were not moved yet: its lock exists even if it failed.
func (o Output) MadeBefore() bool {
	for _, name := range []string{lockName, ManifestName} {
		if _, err := os.Lstat(filepath.Join(o.before, name)); err == nil {
			return true
		}
	}
	return false
}

// TakeOver moves the files that earlier versions had beside the artifacts into the
// private directory: manifest, logs, and machines' disks. The caller
// holds the lock and has called [Output.Make]. waiting is called if a build by an
// earlier version is running. It reports whether it moved files.
func (o Output) TakeOver(ctx context.Context, waiting func()) (bool, error) {
	if !o.MadeBefore() {
		return false, nil
	}
	unlock, err := layer.LockFile(ctx, filepath.Join(o.before, lockName), waiting)
	if err != nil {
		return false, fmt.Errorf("take over %s: %w", o.before, err)
	}
	defer unlock()
	names, err := o.privateNames()
	if err != nil {
		return false, fmt.Errorf("take over %s: %w", o.before, err)
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(o.before, name), o.free(name)); err != nil {
			return false, fmt.Errorf("take over %s: %w", o.before, err)
		}
	}
	if err := os.Remove(filepath.Join(o.before, lockName)); err != nil {
		return false, fmt.Errorf("take over %s: %w", o.before, err)
	}
	if o.before != o.Public {
		// This directory is empty now; its parent can have other files.
		_ = os.Remove(o.before)
		_ = os.Remove(filepath.Dir(o.before))
	}
	return len(names) > 0, nil
}

// privateNames lists the files in the earlier directory that are not artifacts, the manifest
// last, because it lists the artifacts. In a [PrivateOutput] all files were private.
func (o Output) privateNames() ([]string, error) {
	artifacts := map[string]bool{}
	m, err := readManifest(filepath.Join(o.before, ManifestName))
	if err != nil {
		m = &Manifest{} // it cannot be read, so no file is known to be an artifact
	}
	for _, a := range m.Artifacts {
		artifacts[a.Name] = true
	}
	entries, err := os.ReadDir(o.before)
	if err != nil {
		return nil, err
	}
	var names, last []string
	for _, e := range entries {
		name := e.Name()
		switch name {
		case lockName:
			continue
		case ManifestName:
			last = []string{name}
			continue
		}
		known := name == logsDir || name == "persist" || name == "test" || strings.HasPrefix(name, ".run-")
		if o.before != o.Public || known && !artifacts[name] {
			names = append(names, name)
		}
	}
	return append(names, last...), nil
}

// free returns the path in the private directory for a moved file. It is never the
// path of a directory, which can hold a machine's disk.
func (o Output) free(name string) string {
	path := filepath.Join(o.Private, name)
	for n := 1; ; n++ {
		if info, err := os.Lstat(path); err != nil || !info.IsDir() {
			return path
		}
		path = filepath.Join(o.Private, fmt.Sprintf("%s.old%d", name, n))
	}
}

// ReadManifest reads the manifest of the last build.
func ReadManifest(output Output) (*Manifest, error) { return readManifest(output.Manifest()) }

// below reports that a name from a manifest is the name of a file inside the directory that
// it is relative to, unlike "." and "a/..".
func below(name string) bool { return filepath.IsLocal(name) && filepath.Clean(name) != "." }

// removeStale removes the files that only the manifest before lists.
func removeStale(before, now *Manifest, output Output) error {
	if before == nil {
		return nil
	}
	keep := map[string]bool{}
	for _, a := range now.Artifacts {
		keep[a.Name] = true
	}
	for _, s := range now.Steps {
		keep[s.Log] = true
	}
	var stale []string
	for _, a := range before.Artifacts {
		if a.Kind != plan.RepositoryArtifact && below(a.Name) && !keep[a.Name] {
			stale = append(stale, filepath.Join(output.Public, a.Name), output.record(a.Name))
		}
	}
	for _, s := range before.Steps {
		log, ok := strings.CutPrefix(filepath.Clean(s.Log), logsDir+"/")
		if ok && below(log) && !keep[s.Log] {
			stale = append(stale, filepath.Join(output.Logs(), log))
		}
	}
	for _, path := range stale {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("tidy up the output: %w", err)
		}
	}
	return nil
}
