package config

import (
	"io/fs"
	"path"
)

// readFeatureSources reads the sources of a feature.
func (l *loader) readFeatureSources(f *Feature, blocks []*sourceBlock) {
	for _, d := range l.sourceDrafts(blocks, plain, func(t *text) { l.keyringOfFeature(f, t) }) {
		if l.wholeSource(d) {
			s := d.source()
			s.Feature = f.Name
			f.Sources = append(f.Sources, s)
		}
	}
}

// keyringOfFeature is the same for a feature, and makes the path of a file of the
// feature's own directory one of the tree.
func (l *loader) keyringOfFeature(f *Feature, t *text) {
	if own := path.Join(f.Dir, t.value); !path.IsAbs(t.value) && fs.ValidPath(own) {
		if _, err := fs.Stat(l.fsys, own); err == nil {
			written := *t
			t.value = own
			if l.opts.Keyring != nil {
				if err := l.opts.Keyring(own); err != nil {
					t.bad = true
					l.missingKeyring(&written, err, f.Dir)
				}
			}
			return
		}
	}
	if l.opts.Keyring == nil {
		return
	}
	if err := l.opts.Keyring(t.value); err != nil {
		t.bad = true
		l.missingKeyring(t, err, f.Dir)
	}
}
