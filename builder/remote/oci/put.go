package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/treewright/treewright/builder/download"
)

// Put implements [remote.Cache]. The manifest with its tag comes last, so that the blobs are there when the tag is.
func (c *cache) Put(ctx context.Context, key string, write func(io.Writer) error) error {
	if err := c.put(ctx, key, write); err != nil {
		return fmt.Errorf("put result: %w", err)
	}
	return nil
}

func (c *cache) put(ctx context.Context, key string, write func(io.Writer) error) error {
	tag, err := tagOf(key)
	if err != nil {
		return err
	}
	// The digest is a part of the address of an upload. It is only known when the whole result is compressed.
	f, err := namelessFile(c.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := compress(ctx, f, write)
	if err != nil {
		return err
	}
	p.key = key
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	manifest, config, err := p.describe()
	if err != nil {
		return err
	}
	if err := c.upload(ctx, p.layer, f); err != nil {
		return err
	}
	if err := c.upload(ctx, descriptor(ocispec.MediaTypeImageConfig, config), bytes.NewReader(config)); err != nil {
		return err
	}
	return c.push(ctx, func(ctx context.Context, _ *download.Watch) error {
		return c.repo.Manifests().PushReference(ctx, descriptor(ocispec.MediaTypeImageManifest, manifest), bytes.NewReader(manifest), tag)
	})
}

// upload brings a blob into the repository, unless it is there.
func (c *cache) upload(ctx context.Context, blob ocispec.Descriptor, content io.Reader) error {
	there, err := c.has(ctx, blobAt(blob.Digest))
	if err != nil || there {
		return err
	}
	return c.push(ctx, func(ctx context.Context, watch *download.Watch) error {
		body := watch.Reader(content, c.limits.stall, notTaken)
		return c.repo.Blobs().Push(ctx, blob, &ending{body, func() { watch.Within(c.limits.stored, notKept) }})
	})
}

// push calls send, and cancels it if the registry does not answer.
func (c *cache) push(ctx context.Context, send func(context.Context, *download.Watch) error) error {
	watch, sending := download.NewWatch(ctx)
	defer watch.End()
	watch.Within(c.limits.answer, noAnswer)
	if err := send(sending, watch); err != nil {
		return c.why(ctx, watch, err, auth.ActionPush)
	}
	return nil
}

// ending is a reader that calls a function at the end.
type ending struct {
	io.Reader
	end func()
}

// Read implements [io.Reader].
func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err == io.EOF {
		e.end()
	}
	return n, err
}

// namelessFile makes a file in a directory. The file disappears when the process ends, in whatever way it ends.
func namelessFile(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".push-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// counted is a writer that keeps the size and the digest of the written bytes.
type counted struct {
	w    io.Writer
	size int64
	hash hash.Hash
}

func count(w io.Writer) *counted { return &counted{w: w, hash: sha256.New()} }

// Write implements [io.Writer].
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.size += int64(n)
	c.hash.Write(p[:n])
	return n, err
}

func (c *counted) digest() digest.Digest { return digest.NewDigest(digest.SHA256, c.hash) }

// until is a writer that fails when a context ends.
type until struct {
	ctx context.Context
	w   io.Writer
}

// Write implements [io.Writer].
func (u *until) Write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.w.Write(p)
}

// compress compresses the output of write into w. It returns the record for the manifest.
func compress(ctx context.Context, w io.Writer, write func(io.Writer) error) (packed, error) {
	out := count(w)
	z, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithZeroFrames(true))
	if err != nil {
		return packed{}, err
	}
	in := count(z)
	err = write(&until{ctx, in})
	// Close it in all cases, because it has goroutines.
	if closed := z.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return packed{}, err
	}
	layer := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerZstd, Digest: out.digest(), Size: out.size}
	return packed{size: in.size, sum: in.digest(), layer: layer}, nil
}
