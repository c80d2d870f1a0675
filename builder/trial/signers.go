package trial

import (
	"context"

	"github.com/treewright/treewright/builder/sign"
)

// strangeKey is what ostree prints of a signature by a key that it does not have.
const strangeKey = "public key not found|not in trusted keyring"

// signed calls a function with the flavour's signer, nil for none.
func (b *Bench) signed(ctx context.Context, do func(*sign.Signer) error) error {
	signer, err := b.builder.Signer(ctx, b.Prepared)
	if err != nil {
		return err
	}
	if signer != nil {
		defer signer.Close()
	}
	return do(signer)
}

// stranger calls a function with a signer whose key nobody knows.
func stranger(ctx context.Context, do func(*sign.Signer) error) error {
	private, err := sign.Generate(ctx, "Stranger", "never")
	if err != nil {
		return err
	}
	return signedBy(ctx, private, do)
}

// signedBy calls a function with a signer that has a private key.
func signedBy(ctx context.Context, private []byte, do func(*sign.Signer) error) error {
	signer, err := sign.Of(ctx, private)
	if err != nil {
		return err
	}
	defer signer.Close()
	return do(signer)
}
