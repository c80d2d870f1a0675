package extension

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/stage/shape"
	"github.com/treewright/treewright/builder/treefs"
)

// quiet reports whether a change is one that every installation makes, and that
// is of no use elsewhere: the linker's cache, backups of accounts, the accounts
// themselves, which leave in another form, and links of System V's runlevels.
func quiet(c change) bool {
	dir, base := path.Split(c.path)
	switch {
	case dir == "etc/" && (strings.HasSuffix(base, "-") || slices.Contains([]string{
		"ld.so.cache", ".pwd.lock", "passwd", "group", "shadow", "gshadow"}, base)):
		return true
	case strings.HasPrefix(c.path, "etc/rc") && strings.HasPrefix(strings.TrimLeft(c.path[len("etc/rc"):], "0123456S"), ".d"):
		return true
	}
	return false
}

// ofPackaging reports whether something in /var is what installing packages
// leaves and no machine needs.
func (t extensionTrees) ofPackaging(rel string) bool {
	packaging := shape.PackagingState(t.distro)
	rel, ok := strings.CutPrefix(rel, "var/")
	for ; ok && rel != "."; rel = path.Dir(rel) {
		if shape.Matches(rel, packaging) || shape.Matches(rel, shape.PackagesState) {
			return true
		}
	}
	return false
}

// traceOf is the one of the directories for caches, logs and so on that
// something is in, "" if it is in none.
func traceOf(rel string) string {
	for _, dir := range shape.Building {
		if strings.HasPrefix(rel, "var/"+dir+"/") {
			return dir
		}
	}
	return ""
}

// outside is what becomes of an extension's changes outside /usr and /opt.
type outside struct {
	trees extensionTrees
	name  string // the extension's
	// packages reports that the extension is of packages for a machine, whose owner reads the notes.
	packages bool
	from     *origin.Origins
	names    treefs.Owners
	units    units
	// leaving are files for the extension: units, and first content for /etc and
	// /var, which the rules of tmpfiles.d(5) put there.
	leaving []leaving
	// first are rules that hold once, lasting those for each boot.
	first, lasting []string
	carried        map[string]bool // paths that the rules make
	links          []string        // those among them that are links
	notes          []string        // what is left out
}

// sort finds out what becomes of each change.
func (o *outside) sort(changes []change) (err error) {
	if o.names, err = treefs.ReadOwners(o.trees.extended); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	o.carried = map[string]bool{}
	o.units.trees = o.trees
	for _, c := range changes {
		if quiet(c) {
			continue
		}
		if err := o.one(c); err != nil {
			return err
		}
	}
	o.leaving = append(o.leaving, o.units.leaving...)
	o.notes = append(o.notes, o.units.notes...)
	return nil
}

func (o *outside) one(c change) error {
	base := path.Base(c.path)
	switch {
	case c.what == isNew && unitPlace(c.path) != "":
		return o.units.add(c)
	case c.what == isNew && strings.HasPrefix(c.path, "etc/alternatives/"):
		// Links through it are made direct.
	case strings.HasPrefix(c.path, "etc/alternatives/") && c.kind == fs.ModeSymlink:
		target, err := os.Readlink(filepath.Join(o.trees.system, c.path))
		if err != nil && c.what != wasRemoved {
			return err
		}
		o.leave(c, fmt.Sprintf("the alternative %s stays with the system's %s", base, target))
	case c.what == isNew && strings.HasPrefix(c.path, "etc/init.d/") && treefs.Exists(filepath.Join(o.trees.extended, "usr/lib/systemd/system", base+".service")):
		// systemd has a unit for it and would not look at it.
	case c.what == isNew && strings.HasPrefix(c.path, "etc/init.d/"):
		o.leave(c, "systemd starts no scripts of /etc/init.d")
	case c.what == isNew && strings.HasPrefix(c.path, "etc/ld.so.conf.d/"):
		o.leave(c, "the linker's cache belongs to the machine")
	case c.what == isNew && strings.HasPrefix(c.path, "var/") && !c.kind.IsDir() && !o.from.Brought[c.path] && (o.trees.ofPackaging(c.path) || traceOf(c.path) != ""):
		if traceOf(c.path) == "cache" && o.from.Scripted[c.path] && !o.trees.ofPackaging(c.path) {
			return o.carry(c)
		}
		if o.from.Scripted[c.path] && !o.trees.ofPackaging(c.path) {
			o.leave(c, "it is treated as a left-over of the build")
		}
	case c.what == isNew && c.kind.IsDir() && o.trees.ofPackaging(c.path) && !o.from.Brought[c.path]:
	case c.what == isNew && (strings.HasPrefix(c.path, "etc/") || strings.HasPrefix(c.path, "var/") || strings.HasPrefix(c.path, "srv/")):
		return o.carry(c)
	case c.kind.IsDir() && strings.HasPrefix(c.path, "etc/") && c.what != wasRemoved && c.what != anotherType:
		return o.carryAccess(c)
	case c.path == "etc/shells" && c.what == contentChanged:
		return o.carryShells(c)
	case strings.HasPrefix(c.path, "var/") && !o.from.ByFeature(c.path):
		// State of the system that packages bring up to date.
	case c.kind.IsDir() && c.what == isNew:
		// What is in it is spoken of.
	case c.path == "usr" || c.path == "opt" || strings.HasPrefix(c.path, "var/") && c.what == wasRemoved:
		// There on every machine, with its own owner and mode; and what is not
		// there yet cannot be removed.
	case c.what == isNew:
		o.leave(c, "an extension holds /usr and /opt")
	case c.what == wasRemoved:
		o.leave(c, "it was removed, and stays on machines")
	case o.packages && c.kind == 0 && c.what == contentChanged && strings.HasPrefix(c.path, "etc/"):
		o.showChanged(c)
	default:
		o.leave(c, "on machines the machine keeps the system's: "+c.what)
	}
	return nil
}

func (o *outside) leave(c change, why string) {
	o.notes = append(o.notes, fmt.Sprintf("/%s is left out%s: %s", c.path, o.trees.ownerOf(c.path), why))
}

// carry gives the machine something that it lacks. What is there stays as it is.
func (o *outside) carry(c change) error {
	info, err := os.Lstat(filepath.Join(o.trees.extended, c.path))
	if err != nil {
		return err
	}
	if err := o.tellLosses(c); err != nil {
		return err
	}
	// On a machine /srv is a link into /var.
	at := strings.TrimPrefix(machine.BehindLinks("/"+c.path), "/")
	name, copied := format.EscapeTmpfiles("/"+at), Factory(o.name)+"/"+at
	switch info.Mode().Type() {
	case fs.ModeDir:
		user, group, _ := strings.Cut(o.names.Of(info), " ")
		o.rule(at, fmt.Sprintf("d %s :%04o :%s :%s -", name, treefs.Permissions(info.Mode()), user, group))
		// So that its owner is looked at, and nothing in it is easier to read.
		o.leaving = append(o.leaving, leaving{path: copied, directory: true, from: c.path})
	case fs.ModeSymlink:
		o.links = append(o.links, c.path)
	case 0:
		o.leaving = append(o.leaving, leaving{path: copied, from: c.path})
		o.rule(at, "C "+name+" - - - - "+format.EscapeTmpfiles("/"+copied))
	default:
		o.leave(c, "it is neither file, directory nor link")
		return nil
	}
	o.carried[c.path] = true
	return nil
}

// tellLosses describes what a rule does not give to what it makes.
func (o *outside) tellLosses(c change) error {
	if c.kind == fs.ModeSymlink {
		return nil
	}
	for _, a := range [][2]string{{"security.capability", "capabilities"}, {accounts.ACLNames[0], "ACLs"}, {accounts.ACLNames[1], "default ACLs"}} {
		value, err := treefs.Attribute(filepath.Join(o.trees.extended, c.path), a[0])
		if err != nil {
			return err
		}
		if value != nil {
			o.notes = append(o.notes, fmt.Sprintf("the %s of /%s are left out: a machine copies files of /etc and /var without them", a[1], c.path))
		}
	}
	return nil
}

// rule takes down a rule for a path. What a person deletes stays deleted, but
// for directories of caches and logs.
func (o *outside) rule(rel, line string) {
	if line[0] == 'd' && shape.Structural("/"+rel) {
		o.lasting = append(o.lasting, line)
	} else {
		o.first = append(o.first, line)
	}
}

// carryLinks is the rest of carry for links, when it is known what is there.
func (o *outside) carryLinks(there func(rel string) bool) error {
	for _, rel := range o.links {
		target, err := os.Readlink(filepath.Join(o.trees.extended, rel))
		if err != nil {
			return err
		}
		end, lost, err := o.trees.landing(rel, there)
		if err != nil {
			return err
		}
		if lost != "" {
			o.notes = append(o.notes, fmt.Sprintf("the link /%s needs /%s, which is left out", rel, lost))
		}
		if end != "" {
			target = "/" + end
		}
		at := strings.TrimPrefix(machine.BehindLinks("/"+rel), "/")
		o.rule(at, "L "+format.EscapeTmpfiles("/"+at)+" - - - - "+format.EscapeTmpfiles(target))
	}
	return nil
}

// ownerOf describes which package a file of the extended tree is from, as part of a
// sentence; "" if it is not a package's.
func (t extensionTrees) ownerOf(rel string) string {
	db := t.distro.Database()
	if owners := db.Owners(filepath.Join(t.extended, db.Dir()), "/"+rel); len(owners) > 0 {
		return " (of package " + owners[0] + ")"
	}
	return ""
}
