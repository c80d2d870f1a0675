package config

import (
	"bytes"
	"errors"
	"io/fs"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

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
