package sign

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Clear returns a text with its signature in it (RFC 9580, section 7), which one of the keys has made. It returns nil if the signer
// has a command, which makes detached signatures alone.
func (s *Signer) Clear(ctx context.Context, what string, text []byte) ([]byte, error) {
	if len(s.options.Command) > 0 {
		return nil, nil
	}
	signed, err := s.gpg(bytes.NewReader(text), "--local-user", s.options.Key, "--digest-algo", "SHA512", "--clear-sign").Output(ctx)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", what, err)
	}
	if _, err := s.Keys.VerifyClear(ctx, text, signed); err != nil {
		return nil, fmt.Errorf("sign %s: the signature that %s made does not count: %w", what, s.who(), err)
	}
	return signed, nil
}

// VerifyClear checks that signed is a text with a signature in it, as [Signer.Clear] makes it, and returns the key that made
// it. It returns the errors of [Keyring.Verify].
func (r *Keyring) VerifyClear(ctx context.Context, text, signed []byte) (Key, error) {
	dir, names, err := filesFor([][]byte{r.Binary, signed})
	if err != nil {
		return Key{}, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "text")
	fingerprint, err := gpgv(ctx, "", dir, names[:1], "--output", out, names[1])
	if err != nil {
		return Key{}, err
	}
	key, ok := r.Key(fingerprint)
	if !ok {
		return Key{}, notAmong(fingerprint)
	}
	have, err := os.ReadFile(out)
	if err != nil {
		return Key{}, fmt.Errorf("check a signature: %w", err)
	}
	if !bytes.Equal(bytes.TrimRight(have, "\n"), bytes.TrimRight(text, "\n")) {
		return Key{}, fmt.Errorf("it is a signature of another text")
	}
	return key, nil
}
