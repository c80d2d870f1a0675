package reapi

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/treewright/treewright/builder/remote"
)

// TestMissing: read is not called for a result that was never put, or whose blob is missing.
func TestMissing(t *testing.T) {
	s := newServer()
	c := connect(t, s)
	put(t, c, keyOf(1), content(200_000))
	delete(s.blobs, blobOf(content(200_000)).digest.Hash)
	for _, key := range []string{keyOf(1), keyOf(2)} {
		err := c.Get(t.Context(), key, func(io.Reader) error { t.Error("read is called"); return nil })
		if !errors.Is(err, remote.ErrMissing) || errors.Is(err, remote.ErrWrong) {
			t.Errorf("%v, want ErrMissing", err)
		}
	}
}

// TestWrongBytes: bytes that do not have the digest are an error for the reader, before the last byte.
func TestWrongBytes(t *testing.T) {
	other := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	cases := map[string]struct {
		plain bool
		send  func([]byte) []byte
	}{
		"other bytes":        {true, other},
		"other last byte":    {true, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }},
		"other bytes, zstd":  {false, other},
		"cut":                {true, func(b []byte) []byte { return b[:len(b)-1] }},
		"cut, zstd":          {false, func(b []byte) []byte { return b[:len(b)-1] }},
		"nothing":            {true, func([]byte) []byte { return nil }},
		"nothing, zstd":      {false, func([]byte) []byte { return nil }},
		"longer":             {true, func(b []byte) []byte { return append(b, 0) }},
		"longer, zstd":       {false, func(b []byte) []byte { return append(b, b...) }},
		"much longer":        {true, func(b []byte) []byte { return bytes.Repeat(b, 10) }},
		"garbage as zstd":    {false, func(b []byte) []byte { return content(len(b)) }},
		"garbage after zstd": {false, func(b []byte) []byte { return append(b, "garbage"...) }},
		"frames that are skipped": {false, func(b []byte) []byte {
			return append(bytes.Repeat([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, 50_000), b...)
		}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			s := newServer()
			if test.plain {
				s.can.SupportedCompressors = nil
			}
			s.send = test.send
			c := connect(t, s)
			put(t, c, keyOf(1), content(200_000))
			got, err := get(c, keyOf(1))
			if !errors.Is(err, remote.ErrWrong) || errors.Is(err, remote.ErrMissing) || !strings.Contains(err.Error(), "grpc://127.0.0.1:") {
				t.Errorf("error %v, want ErrWrong with the host", err)
			}
			if len(got) >= 200_000 {
				t.Errorf("read got %d bytes", len(got))
			}
			// A reader that ignores errors, or does not read to the end, gets the error from Get as well.
			if err := c.Get(t.Context(), keyOf(1), func(io.Reader) error { return nil }); !errors.Is(err, remote.ErrWrong) {
				t.Errorf("error %v of a result that is not read, want ErrWrong", err)
			}
		})
	}
}

// TestEarlyEnd: a reader that stops early without an error, as that of tar archives does, is not a fault if the bytes are right.
func TestEarlyEnd(t *testing.T) {
	c := connect(t, newServer())
	put(t, c, keyOf(1), content(200_000))
	err := c.Get(t.Context(), keyOf(1), func(r io.Reader) error {
		_, err := io.ReadFull(r, make([]byte, 1000))
		return err
	})
	if err != nil {
		t.Error(err)
	}
	mine := errors.New("mine")
	if err := c.Get(t.Context(), keyOf(1), func(io.Reader) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("%v, want the reader's own error", err)
	}
}

// TestWrongPromise: an ActionResult that is not of a result is an error. So is a size that does not fit on any disk.
func TestWrongPromise(t *testing.T) {
	digest := blobOf(content(10)).digest
	cases := map[string]*repb.ActionResult{
		"no output":    {},
		"two outputs":  {OutputFiles: []*repb.OutputFile{{Path: outputName, Digest: digest}, {Path: "more", Digest: digest}}},
		"another name": {OutputFiles: []*repb.OutputFile{{Path: "../" + outputName, Digest: digest}}},
		"failed":       {ExitCode: 1, OutputFiles: []*repb.OutputFile{{Path: outputName, Digest: digest}}},
		"no digest":    {OutputFiles: []*repb.OutputFile{{Path: outputName}}},
		"another hash": {OutputFiles: []*repb.OutputFile{{Path: outputName, Digest: &repb.Digest{Hash: "../../etc", SizeBytes: 10}}}},
		"negative":     {OutputFiles: []*repb.OutputFile{{Path: outputName, Digest: &repb.Digest{Hash: digest.Hash, SizeBytes: -1}}}},
		"endless":      {OutputFiles: []*repb.OutputFile{{Path: outputName, Digest: &repb.Digest{Hash: digest.Hash, SizeBytes: 1 << 60}}}},
		"another size": {OutputFiles: []*repb.OutputFile{{Path: outputName, Digest: &repb.Digest{Hash: digest.Hash, SizeBytes: 11}}}},
	}
	for name, result := range cases {
		t.Run(name, func(t *testing.T) {
			s := newServer()
			c := connect(t, s)
			put(t, c, keyOf(1), content(10))
			for at := range s.results {
				s.results[at] = result
			}
			want := remote.ErrWrong
			if name == "another size" {
				want = remote.ErrMissing // the server does not have such a blob
			}
			if _, err := get(c, keyOf(1)); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		})
	}
}
