package sign

import (
	"context"
	"fmt"
	"os"
)

// Generate makes a key pair without a passphrase, for tests: the private key as
// gpg --export-secret-keys writes it, which [Options.Key] can name as a file. expires is
// as gpg takes it: "never", "seconds=1".
func Generate(ctx context.Context, userID, expires string) (private []byte, err error) {
	home, err := newHome()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	free := []string{"--pinentry-mode", "loopback", "--passphrase", ""}
	if _, err := gpg(home, nil, append(free, "--quick-generate-key", userID, "ed25519", "sign", expires)...).Output(ctx); err != nil {
		return nil, fmt.Errorf("generate a key: %w", err)
	}
	if private, err = gpg(home, nil, append(free, "--armor", "--export-secret-keys")...).Output(ctx); err != nil {
		return nil, fmt.Errorf("generate a key: %w", err)
	}
	return private, nil
}

// Public returns the public half of a private key that [Generate] has made, with --armor.
func Public(ctx context.Context, private []byte) ([]byte, error) {
	s, err := Of(ctx, private)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.gpg(nil, "--armor", "--export").Output(ctx)
}

// Of returns a signer with a private key that [Generate] has made. The caller closes it.
func Of(ctx context.Context, private []byte) (*Signer, error) {
	f, err := os.CreateTemp("", "treewright-key-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(private)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	return NewSigner(ctx, Options{Key: f.Name()}, nil)
}
