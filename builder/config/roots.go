package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// TreeFiles are the names of the file that says what a tree uses.
var TreeFiles = []string{"treewright.hcl", "treewright.yaml", "treewright.yml"}

// maxRoots bounds the trees that are used, directly or by others.
const maxRoots = 100

// loadRoots reads what the tree uses, and what those trees use. The features of
// an earlier one win over those of a later one.
func (l *loader) loadRoots() {
	own := l.forest.Roots[0]
	own.ID, own.Dir = l.opts.Uses.ID, l.opts.Uses.Dir
	l.follow(own, []*Root{own})
}

// follow opens what a tree uses; way are the trees from the own one to it.
func (l *loader) follow(from *Root, way []*Root) {
	var before []text
	var uses []Use
	for _, t := range l.readUses(from) {
		u, bad := parseUse(t.value, t.at)
		if bad != nil {
			l.unopened = true
			l.say(bad)
			continue
		}
		if i := slices.Index(uses, u); i >= 0 {
			l.say(Fault(t.at, "Tree used twice", "%q is used already at %s.", t.value, PlaceOf(before[i].at)))
			continue
		}
		before, uses = append(before, t), append(uses, u)
		r, bad := l.openUsed(from, u, t, way)
		if bad != nil {
			l.unopened = true
			l.say(bad)
		}
		if r != nil {
			l.forest.Roots = append(l.forest.Roots, r)
			l.follow(r, append(slices.Clip(way), r))
		}
	}
}

// openUsed opens a tree; nil if it is at fault, or open already.
func (l *loader) openUsed(from *Root, u Use, t text, way []*Root) (*Root, *hcl.Diagnostic) {
	e, bad := u.seenFrom(from, t.at)
	if bad != nil {
		return nil, bad
	}
	if len(l.forest.Roots) > maxRoots {
		l.stop(Fault(t.at, "Tree too large", "A tree may use %d others, with those that they use.", maxRoots))
	}
	if l.opts.Uses.Open == nil {
		return nil, Fault(t.at, "Cannot use tree", "%s: other trees cannot be used here.", e.name)
	}
	r, err := l.opts.Uses.Open(from, e.use)
	if err != nil {
		return nil, Fault(t.at, "Cannot use tree", "%s: %s.%s", e.name, strings.TrimSuffix(err.Error(), "."), meantBuiltin(u))
	}
	r.Name, r.Prefix, r.entry = e.name, e.prefix, e
	same := func(other *Root) bool { return other.ID == r.ID }
	if i := slices.IndexFunc(way, same); i >= 0 {
		return nil, Fault(t.at, "Trees in a circle", "%s.", circle(way[i:]))
	}
	if slices.ContainsFunc(l.forest.Roots, same) {
		return nil, nil
	}
	if info, err := fs.Stat(r.FS, FeaturesDir); err != nil || !info.IsDir() {
		return nil, Fault(t.at, "Cannot use tree", "%s has no directory %s/: what can be used of a tree are its features.%s", e.name, FeaturesDir, meantBuiltin(u))
	}
	return r, nil
}

// circle reports that each of some trees uses the next one, and the last the first.
func circle(trees []*Root) string {
	if len(trees) == 1 {
		return "A tree cannot use itself, and this is " + trees[0].shown()
	}
	var names []string
	for _, r := range append(slices.Clone(trees), trees[0]) {
		names = append(names, r.shown())
	}
	return "These trees use each other: " + strings.Join(names, ", ")
}

// meantBuiltin is the end of a message on a path that may be a mistyped word.
func meantBuiltin(u Use) string {
	if u.Kind != UsePath || strings.ContainsAny(u.Path, "/.") {
		return ""
	}
	return DidYouMean(u.Path, []string{Builtin})
}

// readUses reads the file of a tree that lists what it uses. If it has a fault,
// features that are not found are not reported as missing.
func (l *loader) readUses(from *Root) []text {
	before := len(l.diags)
	defer func() { l.unopened = l.unopened || hcl.Diagnostics(l.diags[before:]).HasErrors() }()
	var there []string
	for _, name := range TreeFiles {
		if _, err := fs.Lstat(from.FS, name); err == nil {
			there = append(there, name)
		}
	}
	if len(there) > 1 {
		l.say(Fault(FileStart(from.Prefix+there[1]), "Duplicate file", "There is %s already. Put everything into one of them.", from.Prefix+there[0]))
	}
	if len(there) == 0 || !l.sound(from.Prefix+there[0]) {
		return nil
	}
	name := from.Prefix + there[0]
	if from == l.forest.Roots[0] {
		l.ownUses = name
	}
	src, ok := l.readText(name)
	if large := TooLong(name, src); large != nil {
		l.say(large)
		return nil
	}
	if !ok {
		return nil
	}
	b := l.parseFile(name, path.Ext(name), src, nil)
	if b == nil {
		return nil
	}
	var f treeFile
	l.say(decode(b, &f)...)
	list, _, diags := plain.list(f.Use)
	l.say(diags...)
	if from == l.forest.Roots[0] {
		l.readSnapshots(f.Snapshots)
		l.readRemoteCache(f.RemoteCache)
		l.readRemoteExec(f.RemoteExec)
		l.readExtend(f.Extend)
	}
	l.uses = l.uses || from == l.forest.Roots[0] && len(list) > 0
	return list
}

// withBuiltin describes what to write where, so that the own tree uses the program's features.
func (l *loader) withBuiltin() string {
	file := cmp.Or(l.ownUses, TreeFiles[0])
	if l.uses {
		return fmt.Sprintf("add %q to use in %s.", Builtin, file)
	}
	return fmt.Sprintf("write %s to %s, in the directory of the tree.", ListInSyntax(FileStart(file), "use", Builtin), file)
}

// hides reports that a feature is used in place of one of a tree further back.
func (l *loader) hides(f *Feature, dir string) {
	l.project.Hidden = append(l.project.Hidden, Hidden{f.Name, dir})
	l.say(&hcl.Diagnostic{
		Severity: hcl.DiagWarning, Summary: "Feature in place of another", Subject: FileStart(path.Join(f.Dir, "info.yaml")).Ptr(),
		Detail: f.Dir + " is used in place of " + dir + ", because the tree's own features come first, and then those of the trees that it uses, in the order written.",
	})
}
