package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/sign"
)

// signing finds out how a subject is signed. Faults of its keys have their place.
func (b *Builder) signing(ctx context.Context, s *Subject, r reporter) (signing, error) {
	asked, written := b.options.Sign, s.Spec.Flavour.Sign
	if written == nil && asked.Key == "" && asked.Keys == nil {
		return signing{}, nil
	}
	if !s.Served {
		return signing{}, diag.Requestf("%s cannot be signed: only flavours can", s.Name)
	}
	if asked.Keys != nil {
		return signing{keys: asked.Keys}, nil
	}
	if program, pkg := sign.Missing(); program != "" {
		return signing{}, diag.Hostf("this machine has no %s, which signatures need: apt-get install %s", program, pkg)
	}
	how := signing{by: b.signer(written)}
	if written != nil {
		how.at = written.At
		var err error
		if how.keys, err = readKeys(ctx, s, r); err != nil {
			return how, err
		}
	}
	if how.keys != nil || how.by == nil {
		return how, nil
	}
	signer, err := sign.NewSigner(ctx, *how.by, nil)
	if err != nil {
		return how, b.signFault(s, how, err)
	}
	how.keys = signer.Keys
	return how, signer.Close()
}

// signer is who signs: who was asked for, else who is written; nil for nobody.
// With [SignOptions.None] that is still whose public key machines have.
func (b *Builder) signer(written *config.Sign) *sign.Options {
	asked := b.options.Sign
	if written == nil {
		written = &config.Sign{}
	}
	o := sign.Options{Home: asked.Home, Passphrase: asked.Passphrase, Dir: b.options.Tree}
	switch {
	case asked.Key != "":
		o.Key = asked.Key
	case written.Key != "":
		o.Key = written.Key
		if written.Home != "" && o.Home == "" {
			o.Home = written.Home
			if !filepath.IsAbs(o.Home) {
				o.Home = filepath.Join(b.options.Tree, filepath.FromSlash(o.Home))
			}
		}
	case len(written.Command) > 0:
		o.Command = written.Command
	default:
		return nil
	}
	return &o
}

// readKeys reads the public keys that a flavour names; nil if it names none.
func readKeys(ctx context.Context, s *Subject, r reporter) (*sign.Keyring, error) {
	var rings []*sign.Keyring
	var diags hcl.Diagnostics
	usable := false
	for _, k := range s.Spec.Flavour.Sign.PublicKeys {
		ring, err := sign.Read(ctx, k.Content)
		if err != nil {
			diags = append(diags, config.Fault(k.Range, "Cannot read public key", "%s: %s.", k.File, err))
			continue
		}
		rings = append(rings, ring)
		for _, key := range ring.Keys {
			switch now := time.Now(); {
			case key.Usable(now):
				usable = true
			case key.Revoked:
				r.warn(fmt.Sprintf("%s: the key %s of %s was revoked, so its signatures do not count", config.PlaceOf(k.Range), key, k.File))
			default:
				r.warn(fmt.Sprintf("%s: the key %s of %s expired on %s, so its signatures do not count", config.PlaceOf(k.Range), key, k.File, key.Expires.UTC().Format(time.DateOnly)))
			}
		}
	}
	if len(rings) > 0 && !usable && len(diags) == 0 {
		diags = append(diags, config.Fault(s.Spec.Flavour.Sign.PublicKeys[0].Range, "No usable key", "All public keys have expired or were revoked, so machines would accept no update."))
	}
	if len(diags) > 0 {
		return nil, &diag.Faults{Files: s.Project.Files, List: diags}
	}
	if len(rings) == 0 {
		return nil, nil
	}
	return sign.Join(rings...), nil
}

// signFault is the fault of a signer: at its place, unless it was given with an option.
func (b *Builder) signFault(s *Subject, how signing, err error) error {
	if b.options.Sign.Key != "" || how.at.Filename == "" {
		return diag.Requestf("--sign-key: %s", err)
	}
	return &diag.Faults{Files: s.Project.Files, List: hcl.Diagnostics{config.Fault(how.at, "Cannot sign", "%s.", err)}}
}

// unsigned reports whether nothing of a build is to be signed, also if the flavour names a signer.
func (b *Builder) unsigned(p *Prepared) bool { return b.options.Sign.None || p.again }

// signers are who signs commits and files, and extensions; nil for nobody. Before anything is built it is
// known whether they can sign. The caller closes the first one.
func (b *Builder) signers(ctx context.Context, p *Prepared) (*sign.Signer, publish.SignVerity, error) {
	if b.unsigned(p) {
		return nil, nil, nil
	}
	extensions, err := readVeritySigner(p.Subject.Project, &p.Subject.Spec.Flavour.Verity, b.options.Tree)
	if err != nil {
		return nil, nil, err
	}
	signer, err := b.Signer(ctx, p)
	if err != nil || extensions == nil {
		return signer, nil, err
	}
	return signer, extensions.sign, nil
}

// Signer returns who signs commits and files of what was prepared; nil for nobody. The
// caller closes it.
func (b *Builder) Signer(ctx context.Context, p *Prepared) (*sign.Signer, error) {
	if p.signing.by == nil || b.unsigned(p) {
		return nil, nil
	}
	signer, err := sign.NewSigner(ctx, *p.signing.by, p.signing.keys)
	if err != nil {
		return nil, b.signFault(p.Subject, p.signing, err)
	}
	if err := signer.Ready(ctx); err != nil {
		return nil, errors.Join(b.signFault(p.Subject, p.signing, err), signer.Close())
	}
	return signer, nil
}

// NobodySigns reports whether machines of a subject refuse what is published of it: they
// have public keys, and nothing is signed.
func (b *Builder) NobodySigns(s *Subject) bool {
	written := s.Spec.Flavour.Sign
	if written == nil {
		return false
	}
	signs := b.signer(written) != nil
	return signs && b.options.Sign.None || !signs && len(written.PublicKeys) > 0
}
