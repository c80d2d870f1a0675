package difference

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/stage/machine"
)

// compareTrees compares the trees of both commits.
func (d *Difference) compareTrees(o Options) error {
	changes, err := ostree.Compare(*d.Before.Tree, *d.After.Tree)
	if err != nil {
		return fmt.Errorf("compare the trees: %w", err)
	}
	files := make([]File, len(changes))
	err = ostree.EachOf(len(changes), *d.Before.Tree, *d.After.Tree, func(i int) error {
		f, err := d.file(changes[i])
		files[i] = f
		return err
	})
	if err != nil {
		return fmt.Errorf("compare the trees: %w", err)
	}
	if err := d.findCauses(files, o.Distro.Database()); err != nil {
		return fmt.Errorf("find the packages of files: %w", err)
	}
	d.Files = files
	d.countCauses()
	d.findPrivileged()
	d.findUnits()
	if err := d.findSockets(); err != nil {
		return fmt.Errorf("compare sockets: %w", err)
	}
	if err := d.compareAccounts(); err != nil {
		return fmt.Errorf("compare accounts: %w", err)
	}
	return d.compareSizes()
}

// file reads what is known of a changed file beside its content.
func (d *Difference) file(c ostree.Changed) (f File, err error) {
	f = File{Path: "/" + c.Path, What: "changed", was: c.Before, is: c.After}
	if c.Before != nil {
		if f.before, err = d.Before.Tree.Stat(*c.Before); err != nil {
			return f, err
		}
		f.Grown -= int64(f.before.Size)
	}
	if c.After != nil {
		if f.after, err = d.After.Tree.Stat(*c.After); err != nil {
			return f, err
		}
		f.Grown += int64(f.after.Size)
	}
	switch {
	case c.Before == nil:
		f.What, f.Dir = "added", c.After.Dir
	case c.After == nil:
		f.What, f.Dir = "removed", c.Before.Dir
	default:
		f.Dir = c.Before.Dir && c.After.Dir
		f.Details = details(f.before, f.after)
	}
	return f, nil
}

// details are the differences of a file beside its content.
func details(a, b *format.OSTreeFile) []string {
	var out []string
	if a.Mode&unix.S_IFMT != b.Mode&unix.S_IFMT {
		out = append(out, kindOf(a.Mode)+" -> "+kindOf(b.Mode))
	}
	if was, is := a.Mode&^unix.S_IFMT, b.Mode&^unix.S_IFMT; was != is {
		out = append(out, fmt.Sprintf("mode %04o -> %04o", was, is))
	}
	if a.UID != b.UID || a.GID != b.GID {
		out = append(out, fmt.Sprintf("owner %d:%d -> %d:%d", a.UID, a.GID, b.UID, b.GID))
	}
	if a.Link() && b.Link() && a.Target != b.Target {
		out = append(out, a.Target+" -> "+b.Target)
	}
	names := maps.Clone(a.Xattrs)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, b.Xattrs)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := a.Xattrs[name]
		is, has := b.Xattrs[name]
		switch {
		case !had:
			out = append(out, "attribute "+name+" added")
		case !has:
			out = append(out, "attribute "+name+" removed")
		case was != is:
			out = append(out, "attribute "+name+" changed")
		}
	}
	return out
}

// The causes of files that are not known to be of a package or feature.
const (
	ofDatabase = "generated: list of packages"
	ofBuilder  = "generated: by the build"
	ofNothing  = "of no package"
)

// OfPackages is the cause of files that came with the packages and are of none of them.
const OfPackages = "generated: scripts of packages"

// findCauses finds out which package or feature each file is from.
func (d *Difference) findCauses(files []File, db distro.Database) error {
	if len(files) == 0 {
		return nil
	}
	owners := map[*Side]map[string]string{}
	lists := map[string][]string{} // the text of lists that were read, by checksum
	for _, side := range []*Side{&d.After, &d.Before} {
		var err error
		if owners[side], err = ownersIn(*side.Tree, db, lists); err != nil {
			return err
		}
	}
	for i := range files {
		f := &files[i]
		sides := []*Side{&d.After, &d.Before}
		if f.is == nil {
			slices.Reverse(sides)
		}
		f.Cause = causeOf(f, sides, owners, db)
	}
	return nil
}

func causeOf(f *File, sides []*Side, owners map[*Side]map[string]string, db distro.Database) string {
	rel := strings.TrimPrefix(f.Path, "/")
	name := machine.Path(rel)
	base := path.Base(rel)
	switch {
	case strings.HasPrefix(rel, db.CommittedDir()):
		return ofDatabase
	case base == machine.OwnRules || strings.HasPrefix(base, machine.FirstRules) || rel == ostree.LedgerFile:
		return ofBuilder
	}
	// A step above the packages may have changed a file of a package.
	for _, side := range sides {
		if side.Cause != nil {
			if cause := side.Cause(name); cause != "" && cause != OfPackages {
				return cause
			}
		}
	}
	for _, side := range sides {
		if p := owners[side][machine.Canonical(name)]; p != "" {
			return "package " + p
		}
	}
	switch {
	case slices.ContainsFunc(sides, func(s *Side) bool { return s.Cause != nil && s.Cause(name) == OfPackages }):
		return OfPackages
	case base == "initramfs.img":
		return "generated: initramfs"
	}
	return ofNothing
}

// ownersIn are the packages of files, by the lists in a tree. Lists that were read are in
// read, by checksum.
func ownersIn(tree ostree.Tree, db distro.Database, read map[string][]string) (map[string]string, error) {
	const largest = 64 << 20
	dir, of := db.FileLists()
	dir = path.Join(db.CommittedDir(), dir)
	entries, err := tree.Entries(dir)
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(entries)), func(name string) bool { return of(name) == "" || entries[name].Dir })
	texts := make([][]string, len(names))
	err = ostree.EachOf(len(names), tree, tree, func(i int) error {
		sum := entries[names[i]].Sum
		if lines, ok := read[sum]; ok {
			texts[i] = lines
			return nil
		}
		text, err := tree.Content(entries[names[i]], largest)
		texts[i] = strings.Split(string(text), "\n")
		return err
	})
	if err != nil {
		return nil, err
	}
	owners := map[string]string{}
	for i, name := range names {
		read[entries[name].Sum] = texts[i]
		for _, file := range texts[i] {
			owners[machine.Canonical(file)] = of(name)
		}
	}
	return owners, nil
}

// countCauses counts the files of each cause, the one with the most first.
func (d *Difference) countCauses() {
	by := map[string]*Cause{}
	for _, f := range d.Files {
		if f.Dir {
			continue
		}
		c := by[f.Cause]
		if c == nil {
			c = &Cause{Name: f.Cause}
			by[f.Cause] = c
		}
		switch f.What {
		case "added":
			c.Added++
		case "removed":
			c.Removed++
		default:
			c.Changed++
		}
		c.Grown += f.Grown
	}
	for _, c := range by {
		d.Causes = append(d.Causes, *c)
	}
	slices.SortFunc(d.Causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Added+b.Removed+b.Changed, a.Added+a.Removed+a.Changed), strings.Compare(a.Name, b.Name))
	})
}

// findPrivileged finds files whose rights changed.
func (d *Difference) findPrivileged() {
	for _, f := range d.Files {
		was, is := rightsOf(f.before), rightsOf(f.after)
		if was != is {
			d.Privileged = append(d.Privileged, Privileged{f.Path, was, is})
		}
	}
}

// rightsOf are the rights that a program gets by its file.
func rightsOf(f *format.OSTreeFile) string {
	if f == nil || f.Mode&unix.S_IFMT != unix.S_IFREG {
		return ""
	}
	var out []string
	if f.Mode&unix.S_ISUID != 0 {
		out = append(out, fmt.Sprintf("setuid %d", f.UID))
	}
	if f.Mode&unix.S_ISGID != 0 {
		out = append(out, fmt.Sprintf("setgid %d", f.GID))
	}
	if caps, ok := f.Xattrs["security.capability"]; ok {
		out = append(out, fmt.Sprintf("capabilities %s", capabilities(caps)))
	}
	return strings.Join(out, ", ")
}

// compareSizes adds up the sizes of all files, as far as they can be read.
func (d *Difference) compareSizes() error {
	d.Size = &Size{}
	for _, f := range d.Files {
		d.Size.Grown += f.Grown
	}
	var err error
	switch {
	case d.Before.Whole:
		d.Size.Before, err = d.Before.Tree.Size()
		d.Size.After = d.Size.Before + d.Size.Grown
	case d.After.Whole:
		d.Size.After, err = d.After.Tree.Size()
		d.Size.Before = d.Size.After - d.Size.Grown
	default:
		d.note("the size of the whole tree is not known: it takes all files")
	}
	if err != nil {
		return fmt.Errorf("add up the size of the tree: %w", err)
	}
	return nil
}
