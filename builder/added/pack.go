package added

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/layer"
)

// Pack puts the image of a request into a bundle, the directory dir, from the server whose directory is base. The bundle includes the signature, and the machine
// that gets the bundle checks it.
func (m *Machine) Pack(ctx context.Context, q extend.Request, base, dir string) (*extend.Document, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, q.Commit), 0o755); err != nil {
		return nil, err
	}
	at := *m
	at.Root, at.Free = filepath.Join(dir, ".treewright"), func(string) (int64, error) { return m.Free(dir) }
	defer os.RemoveAll(at.Root)
	f := fetcher{&at, func(context.Context, []byte, []byte) error { return nil }}
	d, err := f.fetch(ctx, q, []Source{m.newServer(base)})
	if err != nil {
		return nil, err
	}
	defer d.discard()
	// The document is written last, after the files that it lists.
	err = errors.Join(
		os.Rename(filepath.Join(d.dir, imageFile), filepath.Join(dir, d.document.ImageFile())),
		writeSignature(filepath.Join(dir, q.SignatureFile()), d.signature))
	if err == nil {
		err = layer.WriteFile(filepath.Join(dir, q.DocumentFile()), d.text, 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("write the bundle: %w", err)
	}
	return d.document, nil
}

// writeSignature writes the signature of a document, and removes the signature of an earlier document if signature is nil.
func writeSignature(file string, signature []byte) error {
	if signature == nil {
		return remove(file)
	}
	return layer.WriteFile(file, signature, 0o644)
}
