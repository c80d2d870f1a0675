package extension

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/treefs"
)

// extensionTrees are the three trees that an extension is found between.
type extensionTrees struct {
	// extended is the system with the extension's packages and files, system
	// the one without them, committed the one that machines have.
	extended, system, committed string
	// distro is the family of distributions that they are of.
	distro distro.Distro
	// packages reports that it is of packages that are added to a commit.
	packages bool
	// newModules reports that the extension brings kernel modules, so that the
	// lists of all modules may differ.
	newModules bool
	// ignored are the paths that the feature excludes.
	ignored map[string]bool
}

// leaving is a file or directory that leaves as part of an extension; path is where
// it is in the extension.
type leaving struct {
	path            string
	directory, link bool
	// from is where it is in the extended tree, "" if at the same path.
	from string
	// target is where a link leads in the extension, "" for where it does in the
	// tree.
	target string
}

// source is the path in the extended tree.
func (l leaving) source() string {
	if l.from != "" {
		return l.from
	}
	return l.path
}

// change is a difference outside of what an extension can hold.
type change struct {
	path string
	// what is "new", "removed", or what compareFiles says.
	what string
	kind fs.FileMode // type bits, of the extended tree's unless it was removed
}

// What a change can be beside what [compareFiles] says of two files.
const (
	isNew      = "new"
	wasRemoved = "removed"
)

// difference is what an extension does to the system.
type difference struct {
	// leaving is sorted, directories before what is in them. Directories that the
	// system has as well are not among them.
	leaving []leaving
	// conflicts are changes to the system that an extension cannot carry.
	conflicts []string
	// outside are the changes outside /usr and /opt, sorted.
	outside []change
}

// machineState are the directories that belong to a running machine, not to a tree.
var machineState = map[string]bool{"run": true, "tmp": true, "dev": true, "proc": true, "sys": true}

// excluded are the paths that patterns match, in the extended tree or the
// system's.
func (t extensionTrees) excluded(exclude []string) (map[string]bool, error) {
	excluded := map[string]bool{}
	for _, pattern := range exclude {
		// A file that was removed is to be found in the system only.
		for _, tree := range []string{t.extended, t.system} {
			found, err := treefs.Glob(tree, pattern)
			if err != nil {
				return nil, err
			}
			for _, file := range found {
				excluded[strings.TrimPrefix(file, "/")] = true
			}
		}
	}
	return excluded, nil
}

// diff compares the trees. What the patterns in exclude match is taken as
// untouched.
func (t extensionTrees) diff(ctx context.Context, exclude []string) (*difference, error) {
	excluded, err := t.excluded(exclude)
	if err != nil {
		return nil, err
	}
	committed, err := os.OpenRoot(t.committed)
	if err != nil {
		return nil, err
	}
	defer committed.Close()
	c := comparison{trees: t, committed: committed, excluded: excluded}
	c.excluded[t.distro.Database().Dir()] = true
	// /usr/local of a committed tree is a link to what belongs to the machine.
	if info, err := committed.Lstat("usr/local"); err == nil && info.Mode().Type() == fs.ModeSymlink {
		c.localIsMachines = true
	}
	if err := walkTree(ctx, t.extended, c.visit); err != nil {
		return nil, err
	}
	if err := walkTree(ctx, t.system, c.visitRemoved); err != nil {
		return nil, err
	}
	slices.Sort(c.conflicts)
	slices.SortFunc(c.outside, func(a, b change) int { return strings.Compare(a.path, b.path) })
	return &c.difference, nil
}

// walkTree calls visit for everything below tree, with paths relative to it.
func walkTree(ctx context.Context, tree string, visit func(rel string, d fs.DirEntry) error) error {
	return filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(tree, path)
		if err != nil || rel == "." {
			return err
		}
		return visit(rel, d)
	})
}

type comparison struct {
	difference
	trees           extensionTrees
	committed       *os.Root
	excluded        map[string]bool
	localIsMachines bool
}

// skip reports whether a path is of no interest, with all that is below it.
func (c *comparison) skip(rel string) bool { return machineState[rel] || c.excluded[rel] }

// skipped keeps a walk from what is below.
func skipped(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// leaves reports whether an extension can hold the path.
func (c *comparison) leaves(rel string) bool {
	if c.localIsMachines && (rel == "usr/local" || strings.HasPrefix(rel, "usr/local/")) {
		return false
	}
	return strings.HasPrefix(rel, "usr/") || strings.HasPrefix(rel, "opt/")
}

// place is where a commit, and so an extension, has something of /opt. What a
// commit ships there is below /usr, and in /opt a link to each entry.
func (c *comparison) place(rel string) string {
	rest, ok := strings.CutPrefix(rel, "opt/")
	if !ok {
		return rel
	}
	entry, _, _ := strings.Cut(rest, "/")
	if _, err := c.committed.Lstat("usr/lib/opt/" + entry); err != nil {
		return rel
	}
	return "usr/lib/opt/" + rest
}

// visit looks at something in the extended tree.
func (c *comparison) visit(rel string, d fs.DirEntry) error {
	if c.skip(rel) {
		return skipped(d)
	}
	extended := filepath.Join(c.trees.extended, rel)
	what, err := compareFiles(filepath.Join(c.trees.system, rel), extended)
	if err != nil || what == "" {
		return err
	}
	if !c.leaves(rel) {
		c.outside = append(c.outside, change{rel, what, d.Type()})
		return nil
	}
	if t := d.Type(); t != 0 && t != fs.ModeDir && t != fs.ModeSymlink {
		c.conflicts = append(c.conflicts, "/"+rel+": neither file, directory nor link")
		return nil
	}
	place := c.place(rel)
	_, err = c.committed.Lstat(place)
	if errors.Is(err, fs.ErrNotExist) {
		l := leaving{path: place, directory: d.IsDir(), link: d.Type() == fs.ModeSymlink}
		if place != rel {
			l.from = rel
		}
		c.leaving = append(c.leaving, l)
		return nil
	}
	if err != nil {
		return err
	}
	what, err = compareFiles(filepath.Join(c.trees.committed, place), extended)
	if err != nil || what == "" {
		return err
	}
	if c.trees.newModules && moduleIndex.MatchString(rel) || c.trees.packages && what == contentChanged && sharedIndex.MatchString(rel) {
		c.leaving = append(c.leaving, leaving{path: rel})
		return nil
	}
	if what == contentChanged && c.generated(rel) {
		return nil
	}
	c.conflicts = append(c.conflicts, "/"+rel+": "+what)
	if what == anotherType {
		return skipped(d)
	}
	return nil
}

// visitRemoved looks at something in the system's tree.
func (c *comparison) visitRemoved(rel string, d fs.DirEntry) error {
	if c.skip(rel) {
		return skipped(d)
	}
	if treefs.Exists(filepath.Join(c.trees.extended, rel)) {
		return nil
	}
	if c.leaves(rel) {
		if _, err := c.committed.Lstat(c.place(rel)); err == nil {
			c.conflicts = append(c.conflicts, "/"+rel+": "+wasRemoved)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	} else {
		c.outside = append(c.outside, change{rel, wasRemoved, d.Type()})
	}
	return skipped(d)
}

// anotherType is what compareFiles says of a directory in place of a link, say, and contentChanged of
// a file with other bytes.
const (
	anotherType    = "another type of file"
	contentChanged = "content changed"
)

// compareFiles says in a few words what is different about file to before: ""
// if nothing is but times.
func compareFiles(before, file string) (string, error) {
	var a, b unix.Stat_t
	if err := unix.Lstat(file, &b); err != nil {
		return "", &fs.PathError{Op: "lstat", Path: file, Err: err}
	}
	switch err := unix.Lstat(before, &a); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return isNew, nil
	case err != nil:
		return "", &fs.PathError{Op: "lstat", Path: before, Err: err}
	}
	switch {
	case a.Mode&unix.S_IFMT != b.Mode&unix.S_IFMT:
		return anotherType, nil
	case a.Uid != b.Uid || a.Gid != b.Gid:
		return fmt.Sprintf("owner changed from %d:%d to %d:%d", a.Uid, a.Gid, b.Uid, b.Gid), nil
	case a.Mode != b.Mode:
		return fmt.Sprintf("mode changed from %04o to %04o", a.Mode&0o7777, b.Mode&0o7777), nil
	}
	switch a.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		from, err := os.Readlink(before)
		if err != nil {
			return "", err
		}
		to, err := os.Readlink(file)
		if err != nil || from == to {
			return "", err
		}
		return fmt.Sprintf("link changed from %s to %s", from, to), nil
	case unix.S_IFREG:
		return compareContents(before, file, a, b)
	case unix.S_IFDIR:
		return "", nil
	}
	if a.Rdev != b.Rdev {
		return "another device", nil
	}
	return "", nil
}

func compareContents(before, file string, a, b unix.Stat_t) (string, error) {
	if a.Size != b.Size {
		return contentChanged, nil
	}
	// The very same inode in a layer that both trees share. A copy of it that
	// overlayfs made has the same number, but was changed later. Sizes and
	// times of modification prove nothing: builds set them.
	if a.Ino == b.Ino && a.Ctim == b.Ctim && a.Mtim == b.Mtim {
		return "", nil
	}
	same, err := treefs.SameContent(before, file)
	if err != nil {
		return "", err
	}
	if !same {
		return contentChanged, nil
	}
	x, err := treefs.Attributes(before, treefs.OfOverlay)
	if err != nil {
		return "", err
	}
	y, err := treefs.Attributes(file, treefs.OfOverlay)
	if err != nil {
		return "", err
	}
	if len(x) != len(y) {
		return "extended attributes changed", nil
	}
	for name, value := range x {
		if other, ok := y[name]; !ok || value != other {
			return "extended attribute " + name + " changed", nil
		}
	}
	return "", nil
}

// moduleIndex matches the lists of all kernel modules that depmod(8) writes.
// They are the only files of the system that an extension may bring again, besides each [sharedIndex].
var moduleIndex = regexp.MustCompile(`^usr/lib/modules/[^/]+/modules\.(dep|alias|softdep|weakdep|symbols|devname|builtin|builtin\.alias)(\.bin)?$`)
