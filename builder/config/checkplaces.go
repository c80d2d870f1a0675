package config

import (
	"io/fs"
	"slices"
	"strings"
)

// checkPlaces finds files of a file.include that would not reach a machine. What
// an extension leaves out gets where it is made.
func (l *loader) checkPlaces(f *Feature, dir string) {
	if f.Type == Extension {
		return
	}
	report := func(name, rel, reason string) {
		l.say(Fault(FileStart(name), "File that cannot reach a machine", "Feature %q contains /%s. %s", f.Name, rel, reason))
	}
	real, err := Follow(l.fsys, dir)
	if err != nil {
		return // reported where links are looked at
	}
	// What cannot be read is reported when it is copied.
	_ = fs.WalkDir(l.fsys, real, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == real {
			return nil
		}
		rel := strings.TrimPrefix(name, real+"/")
		for _, p := range ownNames {
			if rel == p.Path && !l.isDir(name, d) {
				report(name, rel, p.Reason)
			}
		}
		for _, p := range slices.Concat(Places, l.opts.Places) {
			if !p.has(rel) || strings.HasPrefix(p.Path, "var/") && d.Type()&fs.ModeSymlink != 0 && rel == p.Path {
				continue
			}
			if entries, err := fs.ReadDir(l.fsys, name); d.IsDir() && (err != nil || len(entries) > 0 || rel == p.Path) {
				continue
			}
			report(name, rel, p.Reason)
		}
		return nil
	})
}
