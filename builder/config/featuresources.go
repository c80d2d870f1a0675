package config

import (
	"io/fs"
	"path"
)

// readFeatureSources reads the sources of a feature.
func (l *loader) readFeatureSources(f *Feature, blocks []*sourceBlock) {
	for _, d := range l.sourceDrafts(blocks, plain, f, func(t *text) { l.keyringOfFeature(f, t) }) {
		if m := d.onMachine; f.Type == Extension && m != nil && m.value {
			l.say(Fault(m.at, "Source without effect on machines", "The list of sources of a machine is part of its system, and %q is an extension. Leave out on_machine, or let a feature of the system have the source.", f.Name))
		}
		if l.wholeSource(d) {
			s := d.source()
			s.Feature, s.Root = f.Name, f.Root
			f.Sources = append(f.Sources, s)
		}
	}
}

// keyringOfFeature is the same for a feature. A path that is not absolute is that of a
// file of the feature, else of its tree; it becomes one of the tree.
func (l *loader) keyringOfFeature(f *Feature, t *text) {
	if l.noPath(t, "keyring") {
		return
	}
	written, found := *t, path.IsAbs(t.value)
	for _, name := range []string{path.Join(f.Place(), t.value), path.Clean(t.value)} {
		if !found && l.hasFile(f.Root, name) {
			t.value, found = name, true
		}
	}
	var err error
	switch {
	case f.Root != nil && !found:
		err = fs.ErrNotExist
	case l.opts.Keyring != nil && (f.Root == nil || path.IsAbs(t.value)):
		err = l.opts.Keyring(t.value)
	}
	if err != nil {
		t.bad = true
		l.missingKeyring(&written, err, f.Dir)
	}
}

// hasFile reports whether a tree has a file.
func (l *loader) hasFile(r *Root, name string) bool {
	if !fs.ValidPath(name) {
		return false
	}
	if r != nil {
		name = r.Prefix + name
	}
	_, err := fs.Stat(l.fsys, name)
	return err == nil
}
