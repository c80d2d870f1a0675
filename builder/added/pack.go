package added

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/layer"
)

// Packed describes what is in a bundle.
type Packed struct {
	Document *extend.Document
	// Pool are the packages of the pool of the commit; nil if the server does not have one.
	Pool []build.PoolFile
}

// Pack puts the image of a request into a bundle, the directory dir, from the server whose directory is base. With pool it also puts the pool of the commit
// there, if the server has one. The bundle includes the signatures, and the machine that gets the bundle checks them.
func (m *Machine) Pack(ctx context.Context, q extend.Request, base, dir string, pool bool) (*Packed, error) {
	d, err := m.packImage(ctx, q, base, dir)
	if err != nil || !pool {
		return &Packed{Document: d}, err
	}
	packages, err := m.packPool(ctx, q.Commit, base, filepath.Join(dir, extend.PoolDir))
	return &Packed{d, packages}, err
}

// packPool puts the pool of a commit into a directory, first the packages, then their list. It returns nil if the server does not have the pool.
func (m *Machine) packPool(ctx context.Context, commit, base, dir string) ([]build.PoolFile, error) {
	from := serverPools{m.filesAt(base, extend.PoolDir, m.Timing)}
	index, err := readPool(ctx, from, commit)
	if errors.Is(err, errAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the pool of commit %.12s at %s: %w", commit, from, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	free, err := m.Free(dir)
	if err != nil {
		return nil, err
	}
	lacking := lackingIn(dir, index.packages)
	if need := sizeOf(lacking); free < need {
		return nil, &noRoom{fmt.Sprintf("the packages of the pool need %s in %s, and %s are free; with --no-pool they are left out", amountOf(need), dir, amountOf(free))}
	}
	m.Say(fmt.Sprintf("%s, %s, from the pool at %s", packageCount(len(lacking)), amountOf(sizeOf(lacking)), from))
	if err := copyPooled(ctx, from, lacking, dir); err != nil {
		return nil, err
	}
	return index.packages, index.write(dir)
}

// packImage puts the image into a bundle.
func (m *Machine) packImage(ctx context.Context, q extend.Request, base, dir string) (*extend.Document, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, q.Commit), 0o755); err != nil {
		return nil, err
	}
	at := *m
	at.Root, at.Free = filepath.Join(dir, ".treewright"), func(string) (int64, error) { return m.Free(dir) }
	defer os.RemoveAll(at.Root)
	f := fetcher{&at, nil, func(context.Context, []byte, []byte) error { return nil }}
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
