package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"

	"github.com/treewright/treewright/builder/remote"
)

// mostWindow limits the memory for decompression. Results are put with a window of 4 MiB.
const mostWindow = 32 << 20

// Get implements [remote.Cache]. Get also reads the bytes that read leaves: an archive can end before the stream, and the
// digests cover the whole stream.
func (c *cache) Get(ctx context.Context, key string, read func(io.Reader) error) error {
	if err := c.get(ctx, key, read); err != nil {
		return fmt.Errorf("get result: %w", err)
	}
	return nil
}

func (c *cache) get(ctx context.Context, key string, read func(io.Reader) error) error {
	p, err := c.manifest(ctx, key)
	if err != nil {
		return err
	}
	blob, err := c.ask(ctx, http.MethodGet, blobAt(p.layer.Digest))
	if err != nil {
		return err
	}
	defer blob.Close()
	if blob.length >= 0 && blob.length != p.layer.Size {
		return fmt.Errorf("%w: %d bytes in place of %d", remote.ErrWrong, blob.length, p.layer.Size)
	}
	r, err := unpacked(blob, p)
	if err != nil {
		return err
	}
	defer r.zstd.Close()
	err = read(r)
	if r.err == nil && err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if r.err != nil && r.err != io.EOF {
		return c.broken(ctx, r.err)
	}
	return err
}

// broken describes the error of a transfer that had begun.
func (c *cache) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, remote.ErrWrong) {
		return err
	}
	return fmt.Errorf("the registry %s: %w", c.at.Registry, err)
}

// manifest reads the manifest of a result.
func (c *cache) manifest(ctx context.Context, key string) (packed, error) {
	tag, err := tagOf(key)
	if err != nil {
		return packed{}, err
	}
	a, err := c.ask(ctx, http.MethodGet, manifestAt(tag))
	if err != nil {
		return packed{}, err
	}
	defer a.Close()
	raw, err := io.ReadAll(io.LimitReader(a, mostManifest+1))
	if err != nil {
		return packed{}, c.broken(ctx, err)
	}
	if len(raw) > mostManifest {
		return packed{}, fmt.Errorf("%w: its manifest has more than %d bytes", remote.ErrWrong, mostManifest)
	}
	if a.digest != "" && a.digest != digest.FromBytes(raw).String() {
		return packed{}, fmt.Errorf("%w: its manifest has not the digest that the registry gives", remote.ErrWrong)
	}
	return readManifest(raw, key)
}

// unpackedReader reads the packed result out of a blob.
type unpackedReader struct {
	blob   *remote.Checked
	zstd   *zstd.Decoder
	packed *remote.Checked
	err    error
}

func unpacked(blob io.Reader, p packed) (*unpackedReader, error) {
	r := &unpackedReader{blob: remote.Check(blob, "the layer", p.layer.Size, p.layer.Digest.Encoded())}
	var err error
	// Without concurrency zstd reads the blob only when it is read itself, so that the blob's error is known then.
	if r.zstd, err = zstd.NewReader(r.blob, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(mostWindow)); err != nil {
		return nil, err
	}
	r.packed = remote.Check(r.zstd, "the packed result", p.size, p.sum.Encoded())
	return r, nil
}

// Read implements [io.Reader].
func (r *unpackedReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.packed.Read(p)
	if err != nil {
		r.err = r.why(err)
		return n, r.err
	}
	return n, nil
}

// why returns io.EOF if the blob has ended as well, with the digest that it has to have. An error of the blob comes before one of
// zstd, which follows from it.
func (r *unpackedReader) why(err error) error {
	if err == io.EOF {
		if _, err = io.Copy(io.Discard, r.blob); err == nil {
			return io.EOF
		}
	}
	switch {
	case r.blob.Err() != nil && r.blob.Err() != io.EOF:
		return r.blob.Err()
	case errors.Is(err, remote.ErrWrong):
		return err
	}
	return fmt.Errorf("%w: the layer cannot be decompressed: %v", remote.ErrWrong, err)
}
