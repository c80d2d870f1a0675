package reapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/genproto/googleapis/bytestream"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// chunk is the number of bytes of a stream that are sent at once.
const chunk = 256 << 10

// Put implements [remote.Cache]. The ActionResult comes last. If Put is interrupted, blobs remain that do not belong to a
// result, and the server removes them in time.
func (c *client) Put(ctx context.Context, key string, write func(packed io.Writer) error) error {
	const what = "put a result"
	can, err := c.abilities(ctx)
	if err != nil {
		return err
	}
	if !can.put {
		return c.fault(ctx, what, errors.New("the server does not take new results"))
	}
	packed, err := digestOf(ctx, write)
	if err != nil {
		return err
	}
	if can.largest > 0 && packed.SizeBytes > can.largest {
		return c.fault(ctx, what, fmt.Errorf("the result has %d bytes, and the server takes at most %d", packed.SizeBytes, can.largest))
	}
	action, command := actionOf(key)
	missing, err := c.missing(ctx, []*repb.Digest{packed, action.digest, command.digest})
	if err != nil {
		return err
	}
	var small []blob
	for _, b := range []blob{action, command} {
		if missing[b.digest.Hash] {
			small = append(small, b)
		}
	}
	switch {
	case !missing[packed.Hash]:
	case packed.SizeBytes <= can.small:
		b, err := inMemory(ctx, packed, write)
		if err != nil {
			return err
		}
		small = append(small, b)
	default:
		if err := again(ctx, func() error { return c.upload(ctx, packed, can.zstd, write) }); err != nil {
			return err
		}
	}
	if err := c.uploadSmall(ctx, small); err != nil {
		return err
	}
	return c.call(ctx, what, func(ctx context.Context) error {
		_, err := c.actions.UpdateActionResult(ctx, &repb.UpdateActionResultRequest{
			InstanceName: c.at.instance, ActionDigest: action.digest, ActionResult: resultOf(packed), DigestFunction: repb.DigestFunction_SHA256,
		})
		return err
	})
}

// measure is a writer that computes the digest of the written bytes. It fails when its context ends.
type measure struct {
	ctx  context.Context
	to   io.Writer
	sum  hash.Hash
	size int64
}

func newMeasure(ctx context.Context, to io.Writer) *measure {
	return &measure{ctx: ctx, to: to, sum: sha256.New()}
}

func (m *measure) Write(p []byte) (int, error) {
	if m.ctx.Err() != nil {
		return 0, context.Cause(m.ctx)
	}
	m.sum.Write(p)
	m.size += int64(len(p))
	return m.to.Write(p)
}

func (m *measure) digest() *repb.Digest {
	return &repb.Digest{Hash: hex.EncodeToString(m.sum.Sum(nil)), SizeBytes: m.size}
}

// compare returns an error if other bytes were written than the first time.
func (m *measure) compare(first *repb.Digest) error {
	if d := m.digest(); d.Hash != first.Hash || d.SizeBytes != first.SizeBytes {
		return errors.New("the content has changed while it was read")
	}
	return nil
}

func digestOf(ctx context.Context, write func(io.Writer) error) (*repb.Digest, error) {
	m := newMeasure(ctx, io.Discard)
	if err := write(m); err != nil {
		return nil, err
	}
	return m.digest(), nil
}

// buffer is bytes.Buffer without the methods by which io.Copy would bypass a measure.
type buffer struct{ content []byte }

func (b *buffer) Write(p []byte) (int, error) {
	b.content = append(b.content, p...)
	return len(p), nil
}

func inMemory(ctx context.Context, d *repb.Digest, write func(io.Writer) error) (blob, error) {
	b := buffer{make([]byte, 0, d.SizeBytes)}
	m := newMeasure(ctx, &b)
	if err := write(m); err != nil {
		return blob{}, err
	}
	return blob{d, b.content}, m.compare(d)
}

// uploadSmall sends blobs in one request.
func (c *client) uploadSmall(ctx context.Context, blobs []blob) error {
	if len(blobs) == 0 {
		return nil
	}
	request := &repb.BatchUpdateBlobsRequest{InstanceName: c.at.instance, DigestFunction: repb.DigestFunction_SHA256}
	for _, b := range blobs {
		request.Requests = append(request.Requests, &repb.BatchUpdateBlobsRequest_Request{Digest: b.digest, Data: b.content})
	}
	return c.call(ctx, c.send, func(ctx context.Context) error {
		answer, err := c.blobs.BatchUpdateBlobs(ctx, request)
		for _, r := range answer.GetResponses() {
			if s := status.FromProto(r.GetStatus()); err == nil && s.Code() != codes.OK {
				err = s.Err()
			}
		}
		return err
	})
}

// upload sends a blob as a stream.
func (c *client) upload(ctx context.Context, d *repb.Digest, compress bool, write func(io.Writer) error) error {
	out, err := c.authorized(ctx)
	if err != nil {
		return c.fault(ctx, c.send, err)
	}
	size := strconv.FormatInt(d.SizeBytes, 10)
	name := c.at.resource("uploads", newUUID(), "blobs", d.Hash, size)
	if compress {
		name = c.at.resource("uploads", newUUID(), "compressed-blobs", "zstd", d.Hash, size)
	}
	to := &outgoing{flow: c.newFlow(out), name: name, some: make([]byte, 0, chunk)}
	defer to.flow.end()
	to.err = to.flow.move(func() (n int, err error) {
		to.stream, err = c.streams.Write(to.flow.ctx)
		return 0, err
	})
	if to.err == nil {
		err = to.all(ctx, d, compress, write)
	}
	switch {
	case to.err != nil && !errors.Is(to.err, io.EOF):
		return c.fault(ctx, c.send, to.err)
	case to.err == nil && err != nil:
		return err // the error of write, not of the server
	}
	return c.fault(ctx, c.send, to.finish(d, compress))
}

// outgoing is a blob on its way to the server.
type outgoing struct {
	flow   *flow
	stream bytestream.ByteStream_WriteClient
	name   string
	sent   int64
	some   []byte
	// err is io.EOF when the server has answered before the end.
	err error
}

// all sends the output of write.
func (to *outgoing) all(ctx context.Context, d *repb.Digest, compress bool, write func(io.Writer) error) error {
	m := newMeasure(ctx, to)
	if !compress {
		if err := write(m); err != nil {
			return err
		}
	} else {
		// Compress in this goroutine alone, because uploads of several results share the machine with the steps of the build.
		encoder, err := zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		m.to = encoder
		err = write(m)
		if err == nil {
			err = encoder.Close()
		}
		if err != nil {
			return err
		}
	}
	if err := m.compare(d); err != nil {
		return err
	}
	to.send(true)
	return to.err
}

// Write implements io.Writer.
func (to *outgoing) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 && to.err == nil {
		n := min(len(p), chunk-len(to.some))
		to.some = append(to.some, p[:n]...)
		p = p[n:]
		written += n
		if len(to.some) == chunk {
			to.send(false)
		}
	}
	return written, to.err
}

func (to *outgoing) send(last bool) {
	request := &bytestream.WriteRequest{ResourceName: to.name, WriteOffset: to.sent, Data: to.some, FinishWrite: last}
	to.err = to.flow.move(func() (int, error) { return len(to.some), to.stream.Send(request) })
	to.sent += int64(len(to.some))
	to.some = to.some[:0]
}

// finish receives the server's answer. An early answer means that the server already has the blob from another client.
func (to *outgoing) finish(d *repb.Digest, compressed bool) error {
	var answer *bytestream.WriteResponse
	err := to.flow.move(func() (n int, err error) {
		answer, err = to.stream.CloseAndRecv()
		return 0, err
	})
	if err != nil {
		return err
	}
	taken := answer.GetCommittedSize()
	if taken == d.SizeBytes || compressed && taken == -1 || to.err == nil && taken == to.sent {
		return nil
	}
	return fmt.Errorf("the server has taken %d bytes of %d", taken, to.sent)
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
