package publish

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/ostree"
)

// signRepository signs a staged repository.
func (f *Finished) signRepository(ctx context.Context, staged *ostree.Staged) error {
	done, err := staged.Sign(ctx, f.Signer)
	f.Signatures.Repository = done
	return err
}

// sign stages a detached signature, in binary, beside a file that is staged with this
// content. One that is there and valid stays. Without a signer none is staged, and an old
// one is removed by [Finished.dropSignatures].
func (f *Finished) sign(ctx context.Context, p *publication, content []byte, file string) error {
	if f.Signer == nil {
		return nil
	}
	at := file + SignatureSuffix
	if have, err := os.ReadFile(at); err == nil {
		if key, err := f.Signer.Keys.Verify(ctx, content, have); err == nil {
			f.Signatures.Key = key
			return nil
		}
	}
	signature, err := f.Signer.Sign(ctx, filepath.Base(file), content)
	if err != nil {
		return err
	}
	if f.Signatures.Key, err = f.Signer.Keys.Verify(ctx, content, signature); err != nil {
		return err
	}
	return p.content(signature, at)
}

// dropSignatures removes what an earlier, signed build left beside files that are not
// signed any more.
func (f *Finished) dropSignatures(output Output) error {
	if f.Signer != nil {
		return nil
	}
	for _, file := range []string{filepath.Join(output.Public, SumsName), output.Manifest()} {
		if err := os.RemoveAll(file + SignatureSuffix); err != nil {
			return fmt.Errorf("remove the signature of an earlier build: %w", err)
		}
	}
	return nil
}
