package config

import (
	"cmp"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
)

// The directories that Load reads, in the root of the project.
const (
	FlavoursDir = "flavours"
	FeaturesDir = "features"
)

// Load reads a project: flavours/*.hcl, *.yaml and *.yml, and the directories of
// features/. Either directory may be missing.
//
// It always returns a project, holding whatever could be understood, together
// with all faults, sorted by file and line. A reference to something unknown
// is, once reported, replaced by what was probably meant, or dropped, so that
// no later check complains of it again; nothing should be built from a project
// whose diagnostics have errors.
func Load(fsys fs.FS, opts Options) (*Project, hcl.Diagnostics) {
	l := &loader{
		fsys: fsys, opts: opts,
		project:   &Project{Features: map[string]*Feature{}, Files: map[string]*hcl.File{}, Lacks: opts.Lacks},
		uncertain: map[string]map[string]bool{},
		budget:    &budget{left: maxWork},
	}
	l.strictly(opts.Others)
	l.guarded(func() {
		if l.sound(FeaturesDir) {
			l.loadFeatures()
			l.loadAccounts()
		}
		if l.sound(FlavoursDir) {
			l.loadFlavours()
		}
	})
	return l.project, Tidy(l.diags)
}

// extraKey approves the keys that are for others: extensions by convention.
func extraKey(name string) bool { return strings.HasPrefix(name, "x-") }

func (l *loader) loadFlavours() {
	var files []*flavourFile
	entries := l.readDir(FlavoursDir)
	bad := l.linkFaults(FlavoursDir, entries)
	for _, e := range entries {
		ext := path.Ext(e.Name())
		if bad[e.Name()] {
			l.unreadable = true
			continue
		}
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || ext != ".hcl" && ext != ".yaml" && ext != ".yml" {
			continue
		}
		name := path.Join(FlavoursDir, e.Name())
		src, ok := l.readText(name)
		var b *body
		if large := TooLong(name, src); large != nil {
			l.say(large)
		} else if ok {
			b = l.parseFlavours(name, ext, src)
		}
		if b == nil {
			l.unreadable = true
			continue
		}
		f := &flavourFile{}
		l.say(gohcl.DecodeBody(b, nil, f)...)
		files = append(files, f)
	}
	drafts := l.drafts(files, l.globals(files))
	l.project.Flavours = l.finish(drafts)
	slices.SortFunc(l.project.Flavours, func(a, b *Flavour) int { return cmp.Compare(a.Name, b.Name) })
}

func (l *loader) parseFlavours(name, ext string, src []byte) *body {
	if ext != ".hcl" {
		b, values, diags := parseYAML(name, src, l.budget, plurals, extraKey)
		l.count(name, values)
		l.say(diags...)
		return b
	}
	file, b, tokens, diags := parseHCL(name, src, l.budget)
	l.count(name, tokens)
	l.project.Files[name] = file
	l.say(diags...)
	return b
}

// featureNames lists the features there are.
func (l *loader) featureNames() []string { return slices.Sorted(maps.Keys(l.project.Features)) }

// known returns the name itself if a feature is called that. If not, it
// reports it and returns what was probably meant, or "".
func (l *loader) known(name string, at hcl.Range) string {
	if l.project.Features[name] != nil {
		return name
	}
	names := l.featureNames()
	l.say(Fault(at, "Unknown feature", "There is no feature %q.%s", name, didYouMean(name, names)))
	return Suggest(name, names)
}
