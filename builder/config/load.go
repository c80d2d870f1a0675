package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Load reads a project: flavours/*.hcl, *.yaml and *.yml, and the directories of
// features/, also those of the trees that a treewright.hcl uses. Each may be
// missing.
//
// It always returns a project, holding whatever could be understood, together
// with all faults, sorted by file and line. A reference to something unknown
// is, once reported, replaced by what was probably meant, or dropped, so that
// no later check complains of it again; nothing should be built from a project
// whose diagnostics have errors.
func Load(fsys fs.FS, opts Options) (*Project, hcl.Diagnostics) {
	forest := &Forest{Roots: []*Root{{FS: fsys}}}
	l := &loader{
		fsys: forest, forest: forest, opts: opts,
		project:   &Project{Features: map[string]*Feature{}, Files: map[string]*hcl.File{}, Lacks: opts.Lacks, Brings: opts.Brings, Kernel: opts.Kernel},
		uncertain: map[string]map[string]bool{}, incomplete: map[string]bool{},
		budget: &budget{left: maxWork},
	}
	l.strictly(opts.Others)
	l.guarded(func() {
		l.loadRoots()
		l.loadFeatures()
		if l.sound(FeaturesDir) {
			l.loadAccounts()
		}
		if l.sound(FlavoursDir) {
			l.loadFlavours()
		}
		l.checkExtendSources()
	})
	return l.project, Tidy(l.diags)
}

func (l *loader) loadFlavours() {
	var files []*flavourFile
	entries := l.readDir(FlavoursDir)
	bad := l.linkFaults(FlavoursDir, entries)
	for e, one := range InOrder(entries, func(e fs.DirEntry) (one *flavourReading) {
		if e.Type().IsRegular() && l.isFlavours(e) {
			one = &flavourReading{loader: l.apart()}
			one.guarded(func() { one.file = one.readFlavours(e.Name()) })
		}
		return one
	}) {
		if bad[e.Name()] {
			l.unreadable = true
			continue
		}
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if !l.isFlavours(e) {
			l.notRead(path.Join(FlavoursDir, e.Name()))
			continue
		}
		if one == nil || !l.takes(one.loader) {
			one = &flavourReading{file: l.readFlavours(e.Name())}
		}
		if one.file == nil {
			l.unreadable = true
			continue
		}
		files = append(files, one.file)
	}
	l.besideFlavours()
	drafts := l.drafts(files, l.globals(files))
	l.project.Flavours = l.finish(drafts)
	slices.SortFunc(l.project.Flavours, func(a, b *Flavour) int { return cmp.Compare(a.Name, b.Name) })
}

// flavourReading is a flavour file and its loader.
type flavourReading struct {
	*loader
	file *flavourFile
}

// isFlavours reports whether a name is that of a flavour file.
func (*loader) isFlavours(e fs.DirEntry) bool {
	return !strings.HasPrefix(e.Name(), ".") && slices.Contains(flavourEndings, path.Ext(e.Name()))
}

// readFlavours reads a file of flavours; nil if it cannot be read, which was reported.
func (l *loader) readFlavours(base string) *flavourFile {
	name := path.Join(FlavoursDir, base)
	src, ok := l.readText(name)
	var b *body
	if large := TooLong(name, src); large != nil {
		l.say(large)
	} else if ok {
		b = l.parseFile(name, path.Ext(base), src, plurals)
	}
	if b == nil {
		return nil
	}
	f := &flavourFile{}
	l.say(decode(b, f)...)
	return f
}

// featureNames lists the features there are.
func (l *loader) featureNames() []string { return slices.Sorted(maps.Keys(l.project.Features)) }

// known returns the name itself if a feature is called that. If not, it
// reports it and returns what was probably meant, or "".
func (l *loader) known(name string, at hcl.Range) string {
	if l.project.Features[name] != nil {
		return name
	}
	if l.unopened {
		return ""
	}
	names := l.featureNames()
	hint := DidYouMean(name, names)
	if slices.Contains(l.opts.Uses.Builtin, name) {
		hint = " Treewright has one: " + l.withBuiltin()
	}
	if l.incomplete[name] {
		hint = fmt.Sprintf(" The directory %s/%s is not one, because it has no info.yaml, which can be as short as: type: element", FeaturesDir, name)
	}
	l.say(Fault(at, "Unknown feature", "There is no feature %q.%s", name, hint))
	return Suggest(name, names)
}
