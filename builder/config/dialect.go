package config

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Dialect is what the files of features mean in trees that are written for another
// builder.
type Dialect struct {
	// PackageList reads pkg.include and pkg.exclude.
	PackageList func(name string, src []byte) []Line
	// Unused are the names of files that mean something to flavours only.
	Unused []string
	Others Others
}

// strictly reads features as flavours want them.
func (l *loader) strictly(others Others) {
	l.reading = reading{packages: ParseList, others: others, packaging: true, stat: l.checkStat, templates: l.readTemplates, files: func(f *Feature, name string) {
		l.checkFiles(f)
		l.checkPlaces(f, name)
	}}
}

// leniently reads features by a dialect; what it does with their files is for who
// builds from them to judge.
func (l *loader) leniently(d Dialect) {
	l.reading = reading{
		packages: d.PackageList, others: d.Others, stat: func([]Line) {}, files: func(*Feature, string) {},
		templates: func(*Feature, string, fs.DirEntry) {},
	}
}

// ReadFeatures takes the files in the directories of features, whose info.yaml has
// been read, into a project. What is wrong with a feature's files is in its
// Faults; the diagnostics returned are those that leave nothing to be built from
// the tree. A link that leads nowhere counts as no file.
func ReadFeatures(fsys fs.FS, p *Project, features []*Feature, d Dialect) hcl.Diagnostics {
	l := &loader{fsys: fsys, project: p}
	l.leniently(d)
	l.guarded(func() {
		for _, e := range l.readDir(FeaturesDir) {
			if name := path.Join(FeaturesDir, e.Name()); l.leads(name) {
				l.odd(name, e)
			}
		}
	})
	diags := l.diags
	l.diags = nil
	for _, f := range features {
		p.Features[f.Name] = f
		l.guarded(func() { l.entriesOf(f, d.Unused) })
		f.Faults, l.diags = Tidy(l.diags), nil
		if l.parts > MaxParts {
			break
		}
	}
	return diags
}

// entriesOf takes in the files of a feature, except for those with unused names.
func (l *loader) entriesOf(f *Feature, unused []string) {
	f.Scripts = map[string]bool{}
	for _, e := range l.readDir(f.Dir) {
		name := path.Join(f.Dir, e.Name())
		if slices.Contains(unused, e.Name()) || !l.leads(name) {
			continue
		}
		// That of info.yaml has been told.
		if e.Name() != "info.yaml" && !l.odd(name, e) {
			l.readEntry(f, e)
		}
	}
	err := WalkFeature(l.fsys, f.Dir, true, func(string, bool) bool { return true }, func(file File) error {
		if strings.Contains(file.Name, "/") {
			l.oddFile(path.Join(f.Dir, file.Name), file.Info.Mode())
		}
		return nil
	})
	if link := (*LinkError)(nil); err != nil && !errors.As(err, &link) {
		l.say(Fault(FileStart(f.Dir), "Cannot read directory", "%s.", err))
	}
}

// leads reports that a name is not a link that leads nowhere.
func (l *loader) leads(name string) bool {
	_, err := fs.Stat(l.fsys, name)
	return !errors.Is(err, fs.ErrNotExist)
}
