package config

import (
	"io/fs"
	"maps"

	"github.com/hashicorp/hcl/v2"
)

// apart is a loader that reads a part of the tree while others read other parts. What it
// finds counts when [loader.takes] has taken it in.
func (l *loader) apart() *loader {
	one := &loader{
		fsys: l.fsys, forest: l.forest, opts: l.opts, budget: l.budget,
		project:   &Project{Features: map[string]*Feature{}, Files: map[string]*hcl.File{}},
		uncertain: map[string]map[string]bool{}, incomplete: map[string]bool{},
	}
	one.strictly(l.opts.Others)
	// They spend from the budget of the whole tree.
	one.reading.templates = func(*Feature, string, fs.DirEntry) { panic(stopped{}) }
	return one
}

// takes takes in what another loader has found, and reports whether it could: not if something was
// beyond a bound, or is, with what was found before. Then it is read once more, by this
// loader, so that the fault is at the place where the bound is crossed.
func (l *loader) takes(one *loader) bool {
	if one.ended || len(l.diags)+len(one.diags) >= MaxFaults || l.parts+one.parts > MaxParts ||
		l.unlooked || one.unlooked || l.looked+one.looked > mostLooked || l.scripted+one.scripted > mostScripts {
		return false
	}
	l.diags = append(l.diags, one.diags...)
	l.parts, l.looked, l.scripted = l.parts+one.parts, l.looked+one.looked, l.scripted+one.scripted
	maps.Copy(l.project.Features, one.project.Features)
	maps.Copy(l.project.Files, one.project.Files)
	maps.Copy(l.uncertain, one.uncertain)
	maps.Copy(l.incomplete, one.incomplete)
	return true
}
