//go:build servers

package reapi

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/remote"
)

// TestRealServer puts, has and gets results on a server that other people wrote, which `make servers` starts. At the end, the
// server is stopped for a while, and killed.
func TestRealServer(t *testing.T) {
	c, err := open(remote.Access{URL: os.Getenv("TREEWRIGHT_TEST_REAPI")}, usual)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	can, err := c.abilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the server can do %+v", can)
	keys := []string{keyOf(1), keyOf(2), keyOf(3)}
	if found, err := c.Has(t.Context(), keys); err != nil || len(found) != 0 {
		t.Fatalf("an empty server has %v, error %v", found, err)
	}
	if _, err := get(c, keyOf(1)); !errors.Is(err, remote.ErrMissing) {
		t.Errorf("%v, want ErrMissing", err)
	}
	small, large := content(1000), content(100<<20)
	put(t, c, keyOf(1), small)
	start := time.Now()
	put(t, c, keyOf(2), large)
	t.Logf("%d MiB up: %s", len(large)>>20, time.Since(start))
	found, err := c.Has(t.Context(), keys)
	if err != nil || !found[keyOf(1)] || !found[keyOf(2)] || found[keyOf(3)] {
		t.Errorf("the server has %v, error %v", found, err)
	}
	if got, err := get(c, keyOf(1)); err != nil || !bytes.Equal(got, small) {
		t.Errorf("%d bytes, error %v", len(got), err)
	}
	start = time.Now()
	var got bytes.Buffer
	err = c.Get(t.Context(), keyOf(2), func(r io.Reader) error { _, err := got.ReadFrom(r); return err })
	if err != nil || !bytes.Equal(got.Bytes(), large) {
		t.Errorf("%d bytes, error %v", got.Len(), err)
	}
	t.Logf("%d MiB down: %s", len(large)>>20, time.Since(start))
	put(t, c, keyOf(1), large) // replaced
	if got, err := get(c, keyOf(1)); err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes, error %v", len(got), err)
	}
	server, err := strconv.Atoi(os.Getenv("TREEWRIGHT_TEST_SERVER"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(server, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	if _, err := get(c, keyOf(2)); err == nil || time.Since(start) > usual.call {
		t.Errorf("the server is gone: error %v after %s", err, time.Since(start))
	}
}
