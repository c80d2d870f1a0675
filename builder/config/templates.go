package config

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// readTemplates takes in what is in a feature's file.template.
func (l *loader) readTemplates(f *Feature, name string, e fs.DirEntry) {
	if !l.isDir(name, e) {
		l.say(Fault(FileStart(name), "Not a directory", "file.template is the directory of templates of files in the system."))
		return
	}
	l.checkPlaces(f, name)
	pick := func(name string, _ bool) bool {
		return name == templatesDir || strings.HasPrefix(name, templatesDir+"/")
	}
	var dirs []Template // those in which nothing has been found yet
	err := WalkFeature(l.fsys, f.Dir, false, pick, func(file File) error {
		if file.Name == templatesDir {
			return nil
		}
		t := Template{Path: strings.TrimPrefix(file.Name, templatesDir), Name: path.Join(f.Dir, file.Name), Target: file.Target}
		for i := len(dirs) - 1; i >= 0 && strings.HasPrefix(t.Path, dirs[i].Path+"/"); i-- {
			dirs = dirs[:i] // a directory with something in it needs no mention
		}
		l.checkTwice(f, t, file.Info.IsDir())
		switch {
		case file.Info.IsDir():
			t.Dir = file.Real
			if f.Root != nil {
				t.Dir = strings.TrimPrefix(t.Dir, f.Root.Prefix)
			}
			dirs = append(dirs, t)
			return nil
		case file.Info.Mode().IsRegular():
			t.Executable = file.Info.Mode()&0o111 != 0
			if !l.readTemplate(f, &t, file.Info.Size()) {
				return nil
			}
		case t.Target == "":
			return nil // it has been reported
		}
		f.Templates = append(f.Templates, t)
		return nil
	})
	f.Templates = append(f.Templates, dirs...)
	if link := (*LinkError)(nil); err != nil && !errors.As(err, &link) {
		l.say(Fault(FileStart(name), "Cannot read directory", "%s.", err))
	}
}

// checkTwice finds a path that file.include has as well.
func (l *loader) checkTwice(f *Feature, t Template, isDir bool) {
	included := path.Join(f.Dir, "file.include", t.Path)
	if info, err := fs.Lstat(l.fsys, included); err == nil && !(isDir && info.IsDir()) {
		l.say(Fault(FileStart(t.Name), "File twice", "%s has %s as well; a feature brings a file in one way only.", included, t.Path))
	}
}

// readTemplate reads a template's text and looks for what is wrong in it without any
// value. False means that it cannot be rendered.
func (l *loader) readTemplate(f *Feature, t *Template, size int64) bool {
	if size > maxValue {
		l.say(Fault(FileStart(t.Name), "File too large", "The template has %d bytes; it may have %d at most. Put what needs no values into file.include.", size, maxValue))
		return false
	}
	raw, err := fs.ReadFile(l.fsys, t.Name)
	if err == nil {
		allowed := slices.ContainsFunc(f.Secrets, func(s Line) bool { return s.Text == t.Path })
		if what := Secret(t.Path, raw); what != "" && !allowed {
			l.say(SecretFile(f, t.Name, t.Path, what))
			return false // and it is not kept for messages
		}
	}
	src, ok := l.readText(t.Name)
	if !ok {
		return false
	}
	l.count(t.Name, len(src)/16) // about as many words as it has
	t.Source = src
	expr, diags := parseTemplate(t.Name, src, l.budget)
	l.say(diags...)
	if diags.HasErrors() {
		return false
	}
	if l.uncertain[f.Name][""] {
		return true
	}
	unknown := secretNames(expr, f)
	names := slices.Clone(Facts)
	for _, p := range f.Parameters {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	unknown = append(unknown, unknownNames(expr, f.Name, names)...)
	unknown = append(unknown, unknownFields(expr, f.Parameters)...)
	l.say(unknown...)
	return len(unknown) == 0
}
