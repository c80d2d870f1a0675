package config

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// The directories that Load reads, in the root of the project.
const (
	FlavoursDir = "flavours"
	FeaturesDir = "features"
)

type loader struct {
	fsys    fs.FS
	forest  *Forest // nil for other builders' trees
	opts    Options
	reading reading
	project *Project
	diags   hcl.Diagnostics
	// unreadable reports that a flavour file, or a name in one, is at fault, so that names
	// that seem unknown may be declared there.
	unreadable bool
	// unopened reports that a tree that is used could not be opened, so that features
	// that seem unknown may be there.
	unopened bool
	// extendSources are the names of sources in the block extend.
	extendSources []Line
	// ownUses is the file that says what the own tree uses, "" without one, and uses
	// whether anything is in its list.
	ownUses string
	uses    bool
	// uncertain holds, by feature, the parameters whose declaration is at
	// fault; the empty name means a whole info.yaml that is.
	uncertain map[string]map[string]bool
	// incomplete are the directories of features that have no info.yaml.
	incomplete map[string]bool
	budget     *budget
	// ended is set once something was beyond a bound.
	ended bool
	// parts are the tokens, values and lines so far; unlooked is set when there
	// are more files than are looked at for secrets.
	parts    int
	looked   int
	unlooked bool
	scripted int // bytes of scripts and tests that were looked at
	// sources are what is copied for flavours and has been looked at, by source, path and
	// whether it may be secret.
	sources map[[3]string][]Generated
}

// readDir lists a directory by name; a missing one is empty.
func (l *loader) readDir(dir string) []fs.DirEntry {
	entries, err := fs.ReadDir(l.fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.say(Fault(FileStart(dir), "Cannot read directory", "%s.", err))
	}
	return entries
}

// readText reads a file and registers it for messages. False means that it
// could not be read, and that this has been reported.
func (l *loader) readText(name string) ([]byte, bool) {
	src, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		l.say(Fault(FileStart(name), "Cannot read file", "%s.", err))
		return nil, false
	}
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	l.count(name, PartsOfFile)
	l.project.Files[name] = &hcl.File{Bytes: src}
	if i := InvalidUTF8(src); i >= 0 {
		at := FileStart(name)
		at.Start = hcl.Pos{Line: 1 + bytes.Count(src[:i], []byte("\n")), Column: i - bytes.LastIndexByte(src[:i], '\n'), Byte: i}
		at.End = at.Start
		l.say(Fault(at, "Not UTF-8", "The file must be text in UTF-8; here is a byte %#x.", src[i]))
		return nil, false
	}
	return src, true
}

// extraKey approves the keys that are for others: extensions by convention.
func extraKey(name string) bool { return strings.HasPrefix(name, "x-") }

// parseFile parses a file of either syntax by its ending.
func (l *loader) parseFile(name, ext string, src []byte, plurals map[string]string) *body {
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

// InvalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func InvalidUTF8(src []byte) int {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
