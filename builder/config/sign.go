package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// mostPublicKeys is how long a file with public keys may be, in bytes.
const mostPublicKeys = 1 << 20

// signDraft is what a flavour has written of a block.
type signDraft struct {
	at         hcl.Range
	publicKeys []PublicKey // nil if they are not written
	key, home  *text
	command    []text
}

// readSign evaluates the block of a flavour, and checks each field where it is written.
func (l *loader) readSign(b *signBlock, s *scope) *signDraft {
	if b == nil || b.signsExtensionsOnly() {
		return nil
	}
	d := &signDraft{at: b.Range}
	list := func(attr listAttr) []text {
		t, _, diags := s.list(attr)
		l.say(diags...)
		if t != nil && len(t) == 0 && !diags.HasErrors() {
			l.say(Fault(attr.Expr.Range(), "Empty list", "%s needs at least one element; omit it if there is none.", attr.Name))
		}
		return t
	}
	str := func(attr stringAttr) *text {
		t, diags := s.str(attr)
		l.say(diags...)
		return t
	}
	d.publicKeys, d.command = l.publicKeys(list(b.PublicKeys)), list(b.Command)
	d.key, d.home = str(b.Key), str(b.Home)
	if t := d.key; t != nil && !t.bad {
		switch {
		case strings.TrimSpace(t.value) == "" || strings.HasPrefix(t.value, "-"):
			l.say(Fault(t.at, "Invalid key", "%q cannot be a key of gpg: write the fingerprint, which gpg --list-secret-keys shows.", t.value))
		case strings.Contains(t.value, "/"):
			l.say(Fault(t.at, "Invalid key", "%q is the path of a file. A private key has no place in a configuration tree: give it with --sign-key FILE, and name its public key in public_keys.", t.value))
		}
	}
	if d.home != nil && !d.home.bad {
		l.noPath(d.home, "home")
	}
	if len(d.command) > 0 && d.command[0].value == "" {
		l.say(Fault(d.command[0].at, "Empty command", "The first element of command has to be the name of a program."))
	}
	return d
}

// publicKeys reads the files with keys that are written; nil if none are.
func (l *loader) publicKeys(written []text) []PublicKey {
	if written == nil {
		return nil
	}
	keys := []PublicKey{}
	for _, t := range written {
		k := PublicKey{File: path.Clean(t.value), Range: t.at}
		if slices.ContainsFunc(keys, func(before PublicKey) bool { return before.File == k.File }) {
			l.say(Fault(t.at, "Named twice", "%q is in public_keys already.", t.value))
			continue
		}
		var err error
		if k.Content, err = l.publicKey(k.File); err != nil {
			hint := ""
			if errors.Is(err, errNoSuchFile) {
				hint = l.nearFile("", t.value)
			}
			l.say(Fault(t.at, "Cannot read public key", "The file %q, with keys that signatures must be of, cannot be read: %s.%s", t.value, err, hint))
		}
		keys = append(keys, k)
	}
	return keys
}

var errNoSuchFile = errors.New("the configuration tree does not have it")

// publicKey reads a file of the tree with public keys, by its clean path.
func (l *loader) publicKey(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, errors.New("it has to be a file of the configuration tree, by its path there")
	}
	f, err := l.fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoSuchFile
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, mostPublicKeys+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > mostPublicKeys:
		return nil, fmt.Errorf("it has more than %d bytes", mostPublicKeys)
	case bytes.Contains(content, []byte("BEGIN PGP PRIVATE KEY")):
		return nil, errors.New("it is a private key: keep that out of the tree, and export the public one with gpg --armor --export")
	}
	return content, nil
}

// inheritSign returns the block with what it takes over from an extended flavour: each
// field that it does not have. A signer of its own, key or command, takes the place of the other's.
func inheritSign(d, base *signDraft) *signDraft {
	switch {
	case d == nil:
		return base
	case base == nil:
		return d
	}
	w := *d
	if w.publicKeys == nil {
		w.publicKeys = base.publicKeys
	}
	if w.key == nil && w.command == nil {
		w.key, w.command = base.key, base.command
	}
	if w.command == nil {
		w.home = or(w.home, base.home)
	}
	return &w
}

// sign makes the block of a flavour with all that it takes over, and checks what only the
// whole shows. Own is what the flavour itself has written.
func (l *loader) sign(d, own *signDraft) *Sign {
	if d == nil {
		return nil
	}
	s := &Sign{At: d.at, PublicKeys: d.publicKeys}
	if d.key != nil && !d.key.bad {
		s.Key, s.At = d.key.value, d.key.at
	}
	if d.home != nil && !d.home.bad {
		s.Home = d.home.value
	}
	if len(d.command) > 0 {
		s.Command, s.At = names(d.command), d.command[0].at
	}
	if own == nil {
		return s // it was judged where it is written
	}
	switch {
	case d.key != nil && d.command != nil:
		l.say(Fault(d.command[0].at, "Two signers", "Either gpg signs, with key, or a command does; key is at %s.", PlaceOf(d.key.at)))
	case d.command != nil && d.publicKeys == nil:
		l.say(Fault(d.command[0].at, "No public key", "What a command signs is checked before it is published: name the public key in public_keys."))
	case d.key == nil && d.command == nil && d.publicKeys == nil:
		l.say(Fault(own.at, "Empty block", "The block sign needs public_keys, key or command; omit it for a system that is not signed."))
	}
	if d.home != nil && !d.home.bad && d.key == nil {
		l.say(Fault(d.home.at, "Home without effect", "home is where gpg has the key that signs, and key is not set."))
	}
	return s
}
