package config

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// flavourEndings are those of the files that are read.
var flavourEndings = []string{".hcl", ".yaml", ".yml"}

// notRead warns of a file in flavours/ that was probably meant to be read.
func (l *loader) notRead(name string) {
	base := path.Base(name)
	ext := path.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	as := ""
	switch lower := strings.ToLower(ext); {
	case slices.Contains(flavourEndings, lower):
		as = stem + lower
	case (lower == ".txt" || lower == ".text") && slices.Contains(flavourEndings, path.Ext(stem)):
		as = stem
	case lower == ".json" && path.Ext(stem) != ".lock":
		as = stem + ".yaml, as JSON is YAML, too"
	default:
		return
	}
	l.say(Warning(FileStart(name), "File not read", "Only files that end in .hcl, .yaml or .yml are read. Call it %s.", as))
}

// flavourText finds a file of flavours by what is in it.
var flavourText = regexp.MustCompile(`(?m)^(?:flavour[ \t]+"|flavours:[ \t]*(?:#.*)?$)`)

// besideFlavours finds files of flavours that are beside the directory flavours/.
func (l *loader) besideFlavours() {
	for _, e := range l.readDir(".") {
		name := e.Name()
		if !slices.Contains(flavourEndings, path.Ext(name)) || slices.Contains(TreeFiles, name) || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err != nil || info.Size() > shortSource {
			continue
		}
		if src, err := fs.ReadFile(l.fsys, name); err == nil && flavourText.Match(bytes.TrimPrefix(src, []byte("\uFEFF"))) {
			l.project.Beside = append(l.project.Beside, name)
		}
	}
}
