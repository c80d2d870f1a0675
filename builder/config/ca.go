package config

import (
	"io/fs"
	"path"

	"github.com/hashicorp/hcl/v2"
)

// authority reads the file with the certificates that a source's servers are
// believed by. Of a feature (f is nil for flavours), a path that is not absolute is
// that of a file of the feature, else of its tree; it becomes one of the tree.
func (l *loader) authority(s *scope, attr stringAttr, f *Feature) *text {
	t, diags := s.str(attr)
	l.say(diags...)
	if t == nil || t.bad || l.noPath(t, "ca") {
		return t
	}
	written, found := t.value, path.IsAbs(t.value)
	var root *Root
	if f != nil {
		root = f.Root
		for _, name := range []string{path.Join(f.Place(), t.value), path.Clean(t.value)} {
			if !found && l.hasFile(root, name) {
				t.value, found = name, true
			}
		}
	}
	var err error
	switch {
	case root != nil && !found:
		err = fs.ErrNotExist
	case l.opts.Authority != nil && (root == nil || path.IsAbs(t.value)):
		err = l.opts.Authority(t.value)
	}
	if err != nil {
		t.bad = true
		l.say(Fault(t.at, "Cannot read certificates", "The file %q, with the certificate of the authority that the archive's servers are believed by, cannot be read: %s.", written, err))
	}
	return t
}

// vainAuthority reports certificates for servers that are not asked by https.
func (l *loader) vainAuthority(t *text) {
	if t != nil && !t.bad {
		l.say(Fault(t.at, "Certificates without effect", "Only https has certificates, and no URL of the archive begins with https://."))
	}
}

// setAuthority is for a source with a draft of the field.
func (s *Source) setAuthority(t *text) {
	if t != nil && !t.bad {
		s.CA, s.Places["ca"] = t.value, []hcl.Range{t.at}
	}
}

// noPath reports a field that is to be the path of a file, and is empty.
func (l *loader) noPath(t *text, field string) bool {
	if t.value != "" {
		return false
	}
	t.bad = true
	l.say(Fault(t.at, "Empty path", "%s has to be the path of a file; omit it if there is none.", field))
	return true
}
