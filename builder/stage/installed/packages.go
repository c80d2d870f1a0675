package installed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// StateFile is the file that says which packages a tree has.
func StateFile(d distro.Distro, tree string) string {
	return filepath.Join(tree, d.Database().Dir(), d.Database().StateFile())
}

// packageState reads the file that says which packages a tree has; "" if it has
// none.
func packageState(t *task.Task, tree string) (string, error) {
	text, err := os.ReadFile(StateFile(t.Distro, tree))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// Watch does what may change the tree's packages, and warns of those
// that were not resolved: who, "exec.config of NAME", has to know that no later
// build brings a newer one. Packages that are left half-installed are a fault.
func Watch(t *task.Task, who string, do func() error) error {
	before, err := packageState(t, t.Tree)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := packageState(t, t.Tree)
	if err != nil {
		return err
	}
	if before == after {
		return nil
	}
	if after == "" {
		t.Warn("%s removed /%s: it is no longer known which packages the system has", who, StateFile(t.Distro, ""))
		return nil
	}
	was, is := t.Distro.Database().ReadState(before), t.Distro.Database().ReadState(after)
	bad := slices.DeleteFunc(is.Unfinished, func(line string) bool { return slices.Contains(was.Unfinished, line) })
	if len(bad) > 0 {
		return fmt.Errorf("%s left packages in pieces, which each machine would have to repair:\n  %s", who, strings.Join(bad, "\n  "))
	}
	for _, c := range distro.Changes(was.Installed, is.Installed) {
		switch {
		case c.After == distro.Package{}:
			t.Warn("%s %s, which was resolved: the packages that need it are there without it", who, c)
		default:
			t.Warn("%s %s, which was not resolved: it does not come from the package archive, so builds do not update it", who, c)
		}
	}
	return nil
}

// Params are the parameters of [Action].
type Params struct {
	// Packages are those that were resolved, sorted, and VersionID is what stands
	// for them.
	Packages  []distro.Package `json:"packages"`
	VersionID string           `json:"version_id"`
}

// Action notes the packages that the tree has in the end, and names it after them.
var Action = task.Define("identity", 1, nameSystem).Small()

// nameSystem lists the packages that the tree has in the end. If they are
// others than those resolved, VERSION_ID identifies them, where it identified the
// latter.
func nameSystem(_ context.Context, t *task.Task, p Params) error {
	status, err := packageState(t, t.Tree)
	if err != nil {
		return err
	}
	if status == "" {
		return nil // there was a warning when it was removed
	}
	have := t.Distro.Database().ReadState(status).Installed
	t.NotePackages("", have)
	if slices.Equal(have, p.Packages) {
		return nil
	}
	id, err := versionOf(t, p, have)
	if err != nil {
		return fmt.Errorf("name the system after its packages: %w", err)
	}
	for _, name := range machine.OSReleaseFiles {
		if err := replaceVersion(t.Tree, name, p.VersionID, id); err != nil {
			return fmt.Errorf("name the system after its packages: %w", err)
		}
	}
	fmt.Fprintf(t.Log, "the packages are not those resolved: VERSION_ID is %s in place of %s\n", id, p.VersionID)
	return nil
}

// versionOf returns what identifies a tree's packages. What was resolved is
// known down to the bytes; of the others the tree has the sums of their files.
func versionOf(t *task.Task, p Params, have []distro.Package) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, p.VersionID)
	for _, c := range distro.Changes(p.Packages, have) {
		fmt.Fprintln(h, c)
		db := t.Distro.Database()
		for _, name := range db.SumFiles(distro.Package{Name: c.Name, Arch: c.After.Arch}) {
			sums, err := os.Open(filepath.Join(t.Tree, db.Dir(), name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return "", err
			}
			_, err = io.Copy(h, sums)
			if err = errors.Join(err, sums.Close()); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:len(p.VersionID)], nil
}

// replaceVersion puts one VERSION_ID in the place of another in an os-release.
// One that says something else was a feature's decision.
func replaceVersion(tree, name, from, to string) error {
	root, err := treefs.OpenRoot(tree)
	if err != nil {
		return err
	}
	defer root.Close()
	f, err := root.OpenAt("open", name, unix.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	line := regexp.MustCompile(`(?m)^(VERSION_ID=["']?)` + regexp.QuoteMeta(from) + `(["']?)$`)
	_, err = f.WriteAt(line.ReplaceAll(text, []byte("${1}"+to+"${2}")), 0) // both are as long
	return err
}

// Committed lists the packages of a tree in OSTree's shape.
func Committed(d distro.Distro, tree string) ([]distro.Package, error) {
	db := d.Database()
	text, err := os.ReadFile(filepath.Join(tree, db.CommittedDir(), db.StateFile()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return db.ReadState(string(text)).Installed, err
}

// Lines lists packages as a commit's metadata does, "NAME VERSION" a line.
func Lines(packages []distro.Package) string {
	lines := make([]string, len(packages))
	for i, p := range packages {
		lines[i] = p.Name + " " + p.Version
	}
	return strings.Join(lines, "\n")
}

// NoteExtension notes the packages that the extension has beyond the system.
func NoteExtension(t *task.Task, name string) error {
	extended, err := packageState(t, t.Tree)
	if err != nil {
		return err
	}
	system, err := packageState(t, t.Inputs["system"])
	if err != nil {
		return err
	}
	have := t.Distro.Database().ReadState(system).Installed
	more := slices.DeleteFunc(t.Distro.Database().ReadState(extended).Installed, func(p distro.Package) bool { return slices.Contains(have, p) })
	t.NotePackages(name, more)
	return nil
}
