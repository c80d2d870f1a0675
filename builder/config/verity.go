package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// veritySigning has the fields of a draft for [Verity].
type veritySigning struct {
	key          *text
	command      []text
	certificates []VerityCertificate
	// has is set if the list of certificates is written.
	has bool
}

// verity reads the fields of a flavour's sign block for the signatures of extensions.
func (l *loader) verity(b *signBlock, s *scope) veritySigning {
	var v veritySigning
	if b == nil {
		return v
	}
	key, diags := s.str(b.VerityKey)
	l.say(diags...)
	v.key = key
	v.command = l.textsOf(s, b.VerityCommand)
	if b.VerityKey != nil && b.VerityCommand != nil {
		l.say(Fault(b.VerityCommand.NameRange, "Two ways to sign", "Extensions are signed with verity_key or by verity_command, not both."))
	}
	if b.VerityCommand != nil && v.command != nil && len(v.command) == 0 {
		l.say(Fault(b.VerityCommand.Expr.Range(), "Empty command", "verity_command has to name a program."))
	}
	if key != nil && !key.bad && key.value != "" && !path.IsAbs(key.value) {
		l.say(Fault(key.at, "Key in the tree", "verity_key has to be an absolute path: a private key has no place in the configuration tree, which others get."))
	}
	list := l.textsOf(s, b.VerityCertificates)
	v.has = list != nil
	for _, t := range list {
		if c := l.verityCertificate(t); c != nil {
			if i := slices.IndexFunc(v.certificates, func(o VerityCertificate) bool { return o.Name == c.Name }); i >= 0 {
				l.say(Fault(t.at, "Named twice", "%q and %q would have one name on machines: %s.crt.", v.certificates[i].Path, c.Path, c.Name))
				continue
			}
			v.certificates = append(v.certificates, *c)
		}
	}
	return v
}

// maxCertificate is how large a file with a certificate may be, in bytes.
const maxCertificate = 64 << 10

// verityCertificate reads a certificate, nil if it cannot be read.
func (l *loader) verityCertificate(t text) *VerityCertificate {
	if l.noPath(&t, "verity_certificates") {
		return nil
	}
	if !fs.ValidPath(path.Clean(t.value)) {
		l.say(Fault(t.at, "Invalid path", "%q is not a path in the configuration tree: a certificate is public, and every build needs it.", t.value))
		return nil
	}
	file := path.Clean(t.value)
	c := &VerityCertificate{Name: strings.TrimSuffix(path.Base(file), path.Ext(file)), Path: file, Range: t.at}
	info, err := fs.Stat(l.fsys, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.say(Fault(t.at, "Missing certificate", "There is no file %q.%s", t.value, l.nearFile("", t.value)))
		return nil
	case err == nil && (!info.Mode().IsRegular() || info.Size() > maxCertificate):
		err = fmt.Errorf("it is not a file of at most %d KiB", maxCertificate>>10)
	case err == nil:
		c.Content, err = fs.ReadFile(l.fsys, file)
	}
	if err != nil {
		l.say(Fault(t.at, "Cannot read certificate", "The certificate %q cannot be read: %s.", t.value, err))
		return nil
	}
	if l.opts.Certificate != nil {
		if err := l.opts.Certificate(c.Content); err != nil {
			l.say(Fault(t.at, "Unusable certificate", "%q %s.", t.value, err))
			return nil
		}
	}
	return c
}

// signsExtensionsOnly reports whether a block has fields for extensions only.
func (b *signBlock) signsExtensionsOnly() bool {
	others := b.PublicKeys != nil || b.Key != nil || b.Home != nil || b.Command != nil
	return !others && (b.VerityKey != nil || b.VerityCommand != nil || b.VerityCertificates != nil)
}

// inherit adds the fields of the flavour that this one extends. A key and a command replace
// each other.
func (v veritySigning) inherit(base veritySigning) veritySigning {
	if v.key == nil && v.command == nil {
		v.key, v.command = base.key, base.command
	}
	if !v.has {
		v.certificates, v.has = base.certificates, base.has
	}
	return v
}

// whole returns a finished draft as a [Verity].
func (v veritySigning) whole() Verity {
	out := Verity{Certificates: v.certificates}
	if v.key != nil && !v.key.bad {
		out.Key, out.At = v.key.value, v.key.at
	}
	if len(v.command) > 0 {
		out.Command, out.At = names(v.command), v.command[0].at
	}
	return out
}
