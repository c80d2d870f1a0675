package reapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/treewright/treewright/builder/remote"
)

// largestWindow is the most memory that a server can make the decompression use: levels up to 19 of the usual
// program need 8 MiB.
const largestWindow = 64 << 20

// Get implements [remote.Cache].
func (c *client) Get(ctx context.Context, key string, read func(packed io.Reader) error) error {
	can, err := c.abilities(ctx)
	if err != nil {
		return err
	}
	d, err := c.promised(ctx, key)
	if err != nil {
		return err
	}
	if d == nil {
		return c.fault(ctx, c.get, remote.ErrMissing)
	}
	return c.download(ctx, d, can.zstd, read)
}

// download calls read with a blob.
func (c *client) download(ctx context.Context, d *repb.Digest, compressed bool, read func(io.Reader) error) error {
	out, err := c.authorized(ctx)
	if err != nil {
		return c.fault(ctx, c.get, err)
	}
	var in *incoming
	err = again(ctx, func() error {
		// Compressed data exceed the data by less than this.
		in = &incoming{flow: c.newFlow(out), most: d.SizeBytes + d.SizeBytes/64 + 64<<10}
		err := in.open(c, d, compressed)
		if err != nil {
			in.flow.end()
		}
		return err
	})
	if err != nil {
		return c.fault(ctx, c.get, missingOr(err))
	}
	defer in.flow.end()
	content := io.Reader(in)
	if compressed {
		// In this goroutine alone: so the decoder waits when the disk does.
		decoder, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(largestWindow))
		if err != nil {
			return err
		}
		defer decoder.Close()
		content = decoder
	}
	packed := remote.Check(content, "the blob", d.SizeBytes, d.Hash)
	err = read(packed)
	if err == nil {
		_, err = io.Copy(io.Discard, packed)
	}
	if failed := packed.Err(); failed != nil && !errors.Is(failed, io.EOF) {
		return c.fault(ctx, c.get, in.why(failed))
	}
	return err
}

// missingOr converts NotFound of the server into ErrMissing.
func missingOr(err error) error {
	if status.Code(err) == codes.NotFound {
		return fmt.Errorf("%w: the blob is missing", remote.ErrMissing)
	}
	return err
}

// why returns the error of the stream for one that followed from it. Any other is one of the content.
func (in *incoming) why(err error) error {
	switch {
	case in.err != nil && !errors.Is(in.err, io.EOF):
		return missingOr(in.err)
	case errors.Is(err, remote.ErrWrong):
		return err
	}
	return fmt.Errorf("%w: %w", remote.ErrWrong, err)
}

// incoming is a blob as the server sends it.
type incoming struct {
	flow   *flow
	stream bytestream.ByteStream_ReadClient
	some   []byte
	// most is how many bytes may still come.
	most int64
	err  error
}

// open begins to receive. Its error may be that the server does not have the blob.
func (in *incoming) open(c *client, d *repb.Digest, compressed bool) error {
	name := c.at.resource("blobs", d.Hash, strconv.FormatInt(d.SizeBytes, 10))
	if compressed {
		name = c.at.resource("compressed-blobs", "zstd", d.Hash, strconv.FormatInt(d.SizeBytes, 10))
	}
	in.err = in.flow.move(func() (n int, err error) {
		in.stream, err = c.streams.Read(in.flow.ctx, &bytestream.ReadRequest{ResourceName: name})
		return 0, err
	})
	in.receive()
	if errors.Is(in.err, io.EOF) {
		return nil
	}
	return in.err
}

func (in *incoming) receive() {
	if in.err != nil {
		return
	}
	in.err = in.flow.move(func() (int, error) {
		answer, err := in.stream.Recv()
		in.some = answer.GetData()
		return len(in.some), err
	})
	if in.most -= int64(len(in.some)); in.most < 0 && in.err == nil {
		in.some, in.err = nil, fmt.Errorf("%w: it has more bytes", remote.ErrWrong)
	}
}

// Read implements io.Reader.
func (in *incoming) Read(p []byte) (int, error) {
	for len(in.some) == 0 && in.err == nil {
		in.receive()
	}
	if len(in.some) == 0 {
		return 0, in.err
	}
	n := copy(p, in.some)
	in.some = in.some[n:]
	return n, nil
}
