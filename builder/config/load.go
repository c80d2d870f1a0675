package config

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
)

// Options are what a project is read with, beside its files.
type Options struct {
	// Vars are values for variables, by name (--var NAME=VALUE).
	Vars map[string]string
	// Env is the environment; TREEWRIGHT_VAR_NAME sets the variable NAME unless
	// Vars does.
	Env map[string]string
	// Keyring says why the keyring at a path that a flavour names cannot be read;
	// nil if it can. Without the function that is not checked.
	Keyring func(path string) error
}

// The folders that Load reads, in the root of the project.
const (
	FlavoursDir = "flavours"
	FeaturesDir = "features"
)

// Load reads a project: flavours/*.hcl, *.yaml and *.yml, and the folders of
// features/. Either folder may be missing.
//
// It always returns a project, holding whatever could be understood, together
// with all faults, sorted by file and line. A reference to something unknown
// is, once reported, replaced by what was probably meant, or dropped, so that
// no later check complains of it again; nothing should be built from a project
// whose diagnostics have errors.
func Load(fsys fs.FS, opts Options) (*Project, hcl.Diagnostics) {
	l := &loader{
		fsys: fsys, opts: opts,
		project:   &Project{Features: map[string]*Feature{}, Files: map[string]*hcl.File{}},
		uncertain: map[string]map[string]bool{},
		budget:    &budget{left: maxWork},
	}
	l.guarded(func() {
		if l.sound(FeaturesDir) {
			l.loadFeatures()
			l.loadAccounts()
		}
		if l.sound(FlavoursDir) {
			l.loadFlavours()
		}
	})
	return l.project, tidy(l.diags)
}

type loader struct {
	fsys    fs.FS
	opts    Options
	project *Project
	diags   hcl.Diagnostics
	// unreadable says that a flavour file, or a name in one, is at fault, so that names
	// that seem unknown may be declared there.
	unreadable bool
	// uncertain holds, by feature, the parameters whose declaration is at
	// fault; the empty name stands for a whole info.yaml that is.
	uncertain map[string]map[string]bool
	budget    *budget
	// parts are the tokens, values and lines so far; unlooked is set when there
	// are more files than are looked at for secrets.
	parts    int
	looked   int
	unlooked bool
}

// readDir lists a folder by name; a missing one is empty.
func (l *loader) readDir(dir string) []fs.DirEntry {
	entries, err := fs.ReadDir(l.fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.say(fault(fileStart(dir), "Cannot read folder", "%s.", err))
	}
	return entries
}

// readText reads a file and registers it for messages. False means that it
// could not be read, and that this has been reported.
func (l *loader) readText(name string) ([]byte, bool) {
	src, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		l.say(fault(fileStart(name), "Cannot read file", "%s.", err))
		return nil, false
	}
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	l.count(name, 0)
	l.project.Files[name] = &hcl.File{Bytes: src}
	if i := invalidUTF8(src); i >= 0 {
		at := fileStart(name)
		at.Start = hcl.Pos{Line: 1 + bytes.Count(src[:i], []byte("\n")), Column: i - bytes.LastIndexByte(src[:i], '\n'), Byte: i}
		at.End = at.Start
		l.say(fault(at, "Not UTF-8", "The file must be text in UTF-8; here is a byte %#x.", src[i]))
		return nil, false
	}
	return src, true
}

func invalidUTF8(src []byte) int {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
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
		if large := tooLong(name, src); large != nil {
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
	l.say(fault(at, "Unknown feature", "There is no feature %q.%s", name, didYouMean(name, names)))
	return Suggest(name, names)
}
