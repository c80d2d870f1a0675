package build

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/verity"
)

// veritySigner signs root hashes for one flavour.
type veritySigner struct {
	certs []*x509.Certificate
	// key and cert are nil if command signs.
	key     crypto.Signer
	cert    *x509.Certificate
	command []string
	// dir is the directory that command runs in.
	dir string
}

// readVeritySigner reads the key that a flavour's extensions are signed with; nil if it has none. It
// is called before anything is built, so that a build does not end with images that cannot be signed.
func readVeritySigner(p *config.Project, v *config.Verity, dir string) (*veritySigner, error) {
	fault := func(at hcl.Range, summary, format string, args ...any) error {
		return &diag.Faults{Files: filesOf(p), List: hcl.Diagnostics{config.Fault(at, summary, format, args...)}}
	}
	if !v.Signs() {
		return nil, nil
	}
	s := &veritySigner{dir: dir}
	for _, c := range v.Certificates {
		cert, err := verity.ReadCertificate(c.Content)
		if err != nil {
			return nil, fault(c.Range, "Unusable certificate", "%q %s.", c.Path, err)
		}
		s.certs = append(s.certs, cert)
	}
	if s.command = v.Command; s.command != nil {
		if err := sign.Runnable(s.command, dir); err != nil {
			return nil, fault(v.At, "Cannot sign", "%s.", err)
		}
		return s, nil
	}
	key, at := v.Key, v.At
	text, err := treefs.ReadFile(key, treefs.MostKeyring)
	if err != nil {
		return nil, fault(at, "Cannot read key", "The private key %q, which extensions are signed with, cannot be read: %s.", key, withoutPath(err))
	}
	if info, err := os.Stat(key); err == nil && info.Mode().Perm()&0o077 != 0 {
		return nil, fault(at, "Key that others can read", "The private key %q has the mode %04o, so other users of this machine can use it: chmod 600 %s", key, info.Mode().Perm(), sandbox.Quote(key))
	}
	if s.key, err = verity.ReadKey(text); err != nil {
		return nil, fault(at, "Unusable key", "%q %s.", key, err)
	}
	if s.cert = verity.Fits(s.key, s.certs); s.cert == nil {
		var paths []string
		for _, c := range v.Certificates {
			paths = append(paths, c.Path)
		}
		return nil, fault(at, "Key without its certificate", "The private key %q is that of no certificate in verity_certificates (%s), so machines would refuse what it signs.", key, strings.Join(paths, ", "))
	}
	return s, nil
}

// sign is a [publish.SignVerity].
func (s *veritySigner) sign(ctx context.Context, rootHash string, have []byte) ([]byte, error) {
	if hash, signature, ok := verity.ReadPartition(have); ok && hash == rootHash {
		if cert, err := verity.Verify(rootHash, signature, s.current()); err == nil {
			return verity.Partition(rootHash, cert, signature)
		}
	}
	var signature []byte
	var err error
	if s.command != nil {
		signature, err = s.run(ctx, rootHash)
	} else {
		signature, err = verity.Sign(rootHash, s.key, s.cert)
	}
	if err != nil {
		return nil, err
	}
	cert, err := verity.Verify(rootHash, signature, s.certs)
	if err != nil {
		return nil, fmt.Errorf("the signature that verity_command made is refused: %w", err)
	}
	return verity.Partition(rootHash, cert, signature)
}

// current returns the certificates whose signatures can stay: with a key file, only that of the
// key.
func (s *veritySigner) current() []*x509.Certificate {
	if s.cert != nil {
		return []*x509.Certificate{s.cert}
	}
	return s.certs
}

// run has the flavour's command sign.
func (s *veritySigner) run(ctx context.Context, rootHash string) ([]byte, error) {
	c := sign.Command(s.command, s.dir)
	c.Stdin = strings.NewReader(rootHash)
	signature, err := c.Output(ctx)
	if err != nil {
		return nil, fmt.Errorf("verity_command: %w", err)
	}
	return signature, nil
}
