package config

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// scripts are the programs of a feature that are run.
var scripts = []string{"exec.early", "exec.accounts", "exec.config", "exec.late", "exec.post", "exec.build"}

// lists are the list files of a feature, and where each one goes.
var lists = map[string]func(*Feature) *[]Line{
	"pkg.include":       func(f *Feature) *[]Line { return &f.Packages },
	"pkg.exclude":       func(f *Feature) *[]Line { return &f.ExcludePackages },
	"pkg.build":         func(f *Feature) *[]Line { return &f.PackagesBuild },
	"file.include.stat": func(f *Feature) *[]Line { return &f.FileStat },
	"file.exclude":      func(f *Feature) *[]Line { return &f.FileExclude },
}

// fileNames are all names that mean something in a feature's directory, for
// telling a mistyped one.
var fileNames = append([]string{"info.yaml", "pkg.include", "pkg.exclude", "pkg.build", "file.include", "file.template", "file.include.stat", "file.exclude", "file.debs", "debconf"}, scripts...)

// infoExtraKey approves keys of info.yaml that mean nothing to us: Garden
// Linux's own files carry them.
func infoExtraKey(name string) bool { return extraKey(name) || name == "publishing_group" }

// loadFeatures reads the features of all trees. Of one name the first counts, and
// the others are not looked at.
func (l *loader) loadFeatures() {
	for _, r := range l.forest.Roots {
		if l.sound(r.Prefix + FeaturesDir) {
			l.featuresOf(r.Prefix + FeaturesDir)
		}
	}
	for _, name := range l.featureNames() {
		f := l.project.Features[name]
		f.Include = l.related(f.Include)
		f.Exclude = l.related(f.Exclude)
	}
}

// featuresOf reads the features in a directory.
func (l *loader) featuresOf(features string) {
	entries := l.readDir(features)
	bad := l.linkFaults(features, entries)
	for e, one := range InOrder(entries, func(e fs.DirEntry) *loader {
		if bad[e.Name()] || strings.HasPrefix(e.Name(), ".") || !e.IsDir() {
			return nil
		}
		one := l.apart()
		one.guarded(func() { one.loadFeature(e.Name(), path.Join(features, e.Name())) })
		return one
	}) {
		dir := path.Join(features, e.Name())
		if first := l.project.Features[e.Name()]; first != nil {
			l.hides(first, dir)
			continue
		}
		if bad[e.Name()] {
			l.unknownFeature(e.Name(), dir)
		}
		if bad[e.Name()] || strings.HasPrefix(e.Name(), ".") || l.odd(dir, e) || !l.isDir(dir, e) {
			continue
		}
		if len(l.project.Features) >= MaxFeatures {
			l.stop(Fault(FileStart(dir), "Tree too large", "A tree may have %d features, and those from here on were not read.", MaxFeatures))
		}
		if one == nil || !l.takes(one) {
			l.loadFeature(e.Name(), dir)
		}
	}
}

// isDir follows symbolic links: trees put together from several ones have them.
func (l *loader) isDir(name string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(l.fsys, name)
	return err == nil && info.IsDir()
}

func (l *loader) loadFeature(name, dir string) {
	entries := l.readDir(dir)
	info := path.Join(dir, "info.yaml")
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "info.yaml" }) {
		hint := ""
		if i := slices.IndexFunc(entries, func(e fs.DirEntry) bool {
			return strings.EqualFold(strings.TrimSuffix(e.Name(), path.Ext(e.Name())), "info")
		}); i >= 0 {
			hint = fmt.Sprintf(" Its %s has to be called info.yaml.", entries[i].Name())
		}
		l.say(Warning(FileStart(dir), "No feature", "The directory has no info.yaml, so it is not a feature and is left out.%s", hint))
		l.incomplete[name] = true
		return
	}
	f := &Feature{Name: name, Type: Element, Root: l.rootOf(dir), Dir: dir, Scripts: map[string]bool{}, Range: FileStart(info)}
	l.project.Features[name] = f
	l.uncertain[name] = map[string]bool{}
	bad := l.linkFaults(dir, entries)
	for _, e := range entries {
		if !bad[e.Name()] && l.odd(path.Join(dir, e.Name()), e) {
			bad[e.Name()] = true
		}
	}
	if len(bad) == 0 {
		l.checkLinks(f)
	}
	if !featurePattern.MatchString(name) {
		l.say(Fault(f.Range, "Invalid name", "%q cannot be a feature's name: letters, digits, _, . and - can, beginning with a letter or digit, or with _ for a flag.", name))
	}
	if name == FlavourFeature {
		l.say(Fault(f.Range, "Invalid name", "No feature can be called %q: steps for what flavours bring themselves are named so.", name))
	}
	if bad["info.yaml"] {
		l.uncertain[name][""] = true
	} else if src, ok := l.readText(info); ok {
		l.readInfo(f, info, src)
	} else {
		l.uncertain[name][""] = true
	}
	for _, e := range entries {
		if !bad[e.Name()] {
			l.readEntry(f, e)
		}
	}
	if len(bad) == 0 {
		l.checkLent(f)
	}
}

// rootOf returns the used tree that a directory is in, nil for the own one.
func (l *loader) rootOf(dir string) *Root {
	if r, _ := l.forest.Find(dir); r != l.forest.Roots[0] {
		return r
	}
	return nil
}

// unknownFeature takes in a feature that is there and cannot be read, so that
// nobody who names it is told that there is none.
func (l *loader) unknownFeature(name, dir string) {
	l.project.Features[name] = &Feature{Name: name, Type: Element, Root: l.rootOf(dir), Dir: dir, Scripts: map[string]bool{}, Range: FileStart(dir)}
	l.uncertain[name] = map[string]bool{"": true}
}

// readEntry takes in one file of a feature's directory.
func (l *loader) readEntry(f *Feature, e fs.DirEntry) {
	name := path.Join(f.Dir, e.Name())
	if list, ok := lists[e.Name()]; ok {
		if src, ok := l.readText(name); ok {
			parse := ParseList
			if strings.HasPrefix(e.Name(), "pkg.") {
				parse = l.reading.packages
			}
			lines := parse(name, src)
			if l.count(name, len(lines)); len(lines) > MaxLines {
				l.say(Fault(lines[MaxLines].Range, "File too large", "A list may have %d lines, and this one has %d.", MaxLines, len(lines)))
				return
			}
			*list(f) = lines
			if e.Name() == "file.include.stat" {
				l.reading.stat(f.FileStat)
			}
		}
		return
	}
	switch {
	case slices.Contains(scripts, e.Name()):
		f.Scripts[e.Name()] = true
		diags := CheckProgram(l.fsys, name)
		if l.say(diags...); len(diags) == 0 && l.reading.packaging {
			l.readScript(f, name)
		}
		if e.Name() == "exec.early" {
			l.checkEarly(f, name)
		}
	case e.Name() == testDir && l.reading.packaging:
		l.readTests(f, name)
	case e.Name() == "file.include":
		f.HasFiles = l.isDir(name, e)
		if !f.HasFiles {
			l.say(Fault(FileStart(name), "Not a directory", "file.include is the directory of files to copy into the system."))
		} else {
			l.reading.files(f, name)
		}
	case e.Name() == debconfFile && l.reading.packaging:
		l.readDebconf(f, name)
	case e.Name() == templatesDir:
		l.reading.templates(f, name, e)
	case e.Name() == debsDir && l.reading.packaging:
		l.readDebs(f, name)
	case l.readOther(f, e.Name(), name):
	case !slices.Contains(fileNames, e.Name()):
		// Anything may be in a feature's directory, so only what is nearly right
		// deserves a word.
		if meant := Suggest(e.Name(), append(fileNames[:len(fileNames):len(fileNames)], l.reading.others.Names...)); meant != "" && distance(e.Name(), meant) <= 2 {
			l.say(Warning(FileStart(name), "Unknown file", "A file %q has no meaning in a feature. Did you mean %q?", e.Name(), meant))
		}
	}
}

// readOther takes in a file that means something to others, if it is one.
func (l *loader) readOther(f *Feature, base, name string) bool {
	if l.reading.others.Read == nil {
		return false
	}
	known, diags := l.reading.others.Read(l.fsys, f, base, name)
	l.say(diags...)
	return known
}

// CheckProgram finds what would keep a file from being run.
func CheckProgram(fsys fs.FS, name string) hcl.Diagnostics {
	info, err := fs.Stat(fsys, name)
	switch {
	case err != nil:
		return hcl.Diagnostics{Fault(FileStart(name), "Cannot read file", "%s.", err)}
	case info.IsDir():
		return hcl.Diagnostics{Fault(FileStart(name), "Not a file", "%s is a program to be run, not a directory.", path.Base(name))}
	case info.Mode()&0o111 == 0:
		return hcl.Diagnostics{Fault(FileStart(name), "Script not executable", "%s must be executable: chmod +x %s", path.Base(name), name)}
	}
	return nil
}

// plain is the scope of info.yaml: its strings are not templates.
var plain = &scope{ctx: &hcl.EvalContext{}}

func (l *loader) readInfo(f *Feature, name string, src []byte) {
	if large := TooLong(name, src); large != nil {
		l.uncertain[f.Name][""] = true
		l.say(large)
		return
	}
	b, values, diags := parseYAML(name, src, nil, nil, infoExtraKey)
	l.count(name, values)
	l.say(diags...)
	if b == nil {
		l.uncertain[f.Name][""] = true
		return
	}
	var info infoFile
	diags = decode(b, &info)
	if l.say(diags...); diags.HasErrors() && len(info.Parameters) == 0 {
		l.uncertain[f.Name][""] = true // they may be below a mistyped name
	}

	f.Description = l.plainText(info.Description)
	kind := l.choice("type", info.Type, featureTypes)
	switch {
	case kind == nil && misused(info.Body, "type"):
	case kind == nil:
		l.say(Fault(f.Range, "Missing type", "A feature must have a type: %s.", strings.Join(featureTypes, ", ")))
	case !kind.bad:
		f.Type = FeatureType(kind.value)
	}
	if stage := l.choice("stage", info.Stage, featureStages); stage != nil && !stage.bad {
		f.Stage = stage.value
	}
	if info.Features != nil {
		f.Include = l.references(info.Features.Include)
		f.Exclude = l.references(info.Features.Exclude)
	}
	for _, b := range info.Parameters {
		l.readParameter(f, b)
	}
	l.checkRequired(f)
	l.readFeatureSources(f, info.Sources)
	l.readSecrets(f, info.Secrets)
	f.Listens = l.lines(info.Listens)
	f.Recommends = l.truth(info.Recommends)
}

// lines takes in a list of strings as if each were a line of a list file.
func (l *loader) lines(attr listAttr) []Line {
	list, _, diags := plain.list(attr)
	l.say(diags...)
	var lines []Line
	for _, t := range list {
		lines = append(lines, Line{Text: t.value, Range: t.at})
	}
	return lines
}

// readSecrets takes in the files that a feature brings although they are secret.
func (l *loader) readSecrets(f *Feature, attr listAttr) {
	list, _, diags := plain.list(attr)
	l.say(diags...)
	for _, t := range list {
		if !path.IsAbs(t.value) || path.Clean(t.value) != t.value {
			l.say(Fault(t.at, "Invalid path", "%q is not the absolute path of a file in the tree, as in /etc/tool/key.pem.", t.value))
			continue
		}
		f.Secrets = append(f.Secrets, Line{Text: t.value, Range: t.at})
	}
}

func (l *loader) truth(attr boolAttr) bool {
	v, diags := plain.boolean(attr)
	l.say(diags...)
	return v
}

func (l *loader) plainText(attr stringAttr) string {
	t, diags := plain.str(attr)
	l.say(diags...)
	if t == nil {
		return ""
	}
	return t.value
}

func (l *loader) choice(what string, attr stringAttr, allowed []string) *text {
	t, diags := plain.str(attr)
	l.say(append(diags, oneOf(what, t, allowed)...)...)
	return t
}

func (l *loader) references(attr listAttr) []FeatureRef {
	list, _, diags := plain.list(attr)
	l.say(diags...)
	var refs []FeatureRef
	for _, t := range list {
		refs = append(refs, FeatureRef{Name: t.value, Range: t.at})
	}
	return refs
}

// related keeps the references to features there are, each once. A repetition
// is harmless, and found in other people's features.
func (l *loader) related(refs []FeatureRef) []FeatureRef {
	var kept []FeatureRef
	first := map[string]hcl.Range{}
	for _, r := range refs {
		if at, again := first[r.Name]; again {
			l.say(Warning(r.Range, "Feature named twice", "%q is named already at %s.", r.Name, PlaceOf(at)))
			continue
		}
		if r.Name = l.known(r.Name, r.Range); r.Name != "" {
			first[r.Name] = r.Range
			kept = append(kept, r)
		}
	}
	return kept
}
