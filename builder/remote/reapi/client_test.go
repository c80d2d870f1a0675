package reapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/treewright/treewright/builder/remote"
)

// patient are the usual limits, with sizes for tests. A busy machine keeps them.
var patient = func() limits {
	l := usual
	l.small, l.digests, l.lookups = 100_000, 3, 4
	return l
}()

// connect returns a client of a server, of an instance.
func connect(t testing.TB, s *server) *client { return connectWithin(t, s, patient) }

func connectWithin(t testing.TB, s *server, l limits) *client {
	t.Helper()
	c, err := open(remote.Access{URL: "grpc://" + s.start(t) + "/some/instance"}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// keyOf makes a key.
func keyOf(n int) string { return fmt.Sprintf("%064x", n) }

// content returns bytes that compress to about a half. They are the same for the same size.
func content(size int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(size)))
	text := make([]byte, size)
	for i := range text {
		text[i] = byte(r.UintN(16))
	}
	return text
}

// writing returns a function that writes content in pieces.
func writing(text []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		for rest := text; len(rest) > 0; {
			n, err := w.Write(rest[:min(len(rest), 30_001)])
			if err != nil {
				return fmt.Errorf("pack: %w", err)
			}
			rest = rest[n:]
		}
		return nil
	}
}

func put(t testing.TB, c *client, key string, text []byte) {
	t.Helper()
	if err := c.Put(t.Context(), key, writing(text)); err != nil {
		t.Fatal(err)
	}
}

// get returns the content of a result, read to its end.
func get(c *client, key string) (text []byte, err error) {
	err = c.Get(context.Background(), key, func(r io.Reader) (err error) {
		text, err = io.ReadAll(r)
		return err
	})
	return text, err
}

// TestRoundTrip: a result that was put is found and is the same. It is sent at once or as a stream, compressed or not.
func TestRoundTrip(t *testing.T) {
	for _, size := range []int{1, 99_999, 100_000, 100_001, chunk, 3*chunk + 7} {
		for _, compressed := range []bool{true, false} {
			t.Run(fmt.Sprint(size, compressed), func(t *testing.T) {
				s := newServer()
				if !compressed {
					s.can.SupportedCompressors = nil
				}
				c := connect(t, s)
				want := content(size)
				put(t, c, keyOf(1), want)
				if streams := s.calls["Write"]; (streams == 1) != (size > 100_000) {
					t.Errorf("%d bytes were sent in %d streams", size, streams)
				}
				got, err := get(c, keyOf(1))
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes of %d, error %v", len(got), size, err)
				}
				put(t, c, keyOf(2), want)
				if s.calls["Write"]+s.calls["BatchUpdateBlobs"] > 3 {
					t.Errorf("a blob that is there was sent again: %v", s.calls)
				}
			})
		}
	}
}

// TestHas: a result counts only if the server has its blob.
func TestHas(t *testing.T) {
	s := newServer()
	c := connect(t, s)
	var keys []string
	for i := range 10 {
		keys = append(keys, keyOf(i))
		if i%2 == 0 {
			put(t, c, keyOf(i), content(i+1))
		}
	}
	delete(s.blobs, blobOf(content(5)).digest.Hash) // that of 4
	for _, r := range s.results {
		if r.OutputFiles[0].Digest.SizeBytes == 7 { // that of 6
			r.OutputFiles[0].Path = "other"
		}
	}
	clear(s.calls)
	found, err := c.Has(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		if want := i == 0 || i == 2 || i == 8; found[key] != want {
			t.Errorf("the result %d: found is %v", i, found[key])
		}
	}
	if s.calls["GetActionResult"] != 10 || s.calls["FindMissingBlobs"] != 2 {
		t.Errorf("the calls were %v, want 2 batches", s.calls)
	}
	if found, err := c.Has(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("of no keys: %v, %v", found, err)
	}
}

// TestAbilities: the limits of a server are asked for once, before data are sent.
func TestAbilities(t *testing.T) {
	s := newServer()
	s.can.DigestFunctions = []repb.DigestFunction_Value{repb.DigestFunction_BLAKE3}
	c := connect(t, s)
	for range 2 {
		if _, err := c.Has(t.Context(), []string{keyOf(1)}); err == nil || !strings.Contains(err.Error(), "SHA-256") {
			t.Errorf("without SHA-256: %v", err)
		}
	}
	if s.calls["GetCapabilities"] != 1 {
		t.Errorf("it was asked %d times", s.calls["GetCapabilities"])
	}
	s = newServer()
	s.can.ActionCacheUpdateCapabilities.UpdateEnabled = false
	c = connect(t, s)
	if err := c.Put(t.Context(), keyOf(1), writing(content(10))); err == nil || !strings.Contains(err.Error(), "does not take new results") {
		t.Errorf("read-only: %v", err)
	}
	s = newServer()
	s.can.MaxCasBlobSizeBytes = 100
	c = connect(t, s)
	if err := c.Put(t.Context(), keyOf(1), writing(content(101))); err == nil || !strings.Contains(err.Error(), "takes at most 100") {
		t.Errorf("too large: %v", err)
	}
	s = newServer()
	s.can.MaxBatchTotalSizeBytes = 50_000
	put(t, connect(t, s), keyOf(1), content(49_900))
}

// TestUnauthenticated: the server's reason is shown.
func TestUnauthenticated(t *testing.T) {
	s := newServer()
	s.refuse, s.with = map[string]int{"GetCapabilities": -1}, codes.Unauthenticated
	c := connect(t, s)
	if _, err := get(c, keyOf(1)); !has(err, codes.Unauthenticated) || !strings.Contains(err.Error(), "grpc://127.0.0.1:") {
		t.Error(err)
	}
}

// TestMany: results that are put and got at the same time are not mixed up.
func TestMany(t *testing.T) {
	c := connect(t, newServer())
	var wrong atomic.Int32
	done := make(chan struct{})
	for i := range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			want := content(99_990 + 5*i)
			err := c.Put(context.Background(), keyOf(i), writing(want))
			got, getErr := get(c, keyOf(i))
			if err != nil || getErr != nil || !bytes.Equal(got, want) {
				wrong.Add(1)
			}
		}()
	}
	for range 8 {
		<-done
	}
	if wrong.Load() > 0 {
		t.Errorf("%d results are wrong", wrong.Load())
	}
}

// TestActionNeverChanges: all versions of the program find each other's results. The Action of a key changes only together
// with the form of a packed result.
func TestActionNeverChanges(t *testing.T) {
	action, _ := actionOf(keyOf(1))
	if got := action.digest.Hash; got != "302289f0ace3adf7cc8cdf5e6319366edacbd57b10caa2d71992c199f2b92c02" {
		t.Errorf("the Action is %s", got)
	}
}
